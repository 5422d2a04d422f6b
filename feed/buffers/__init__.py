"""Memory for the bodies of frames, within a process and shared with others."""
