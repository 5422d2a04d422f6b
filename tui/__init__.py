"""livetable.tui: the viewer."""
