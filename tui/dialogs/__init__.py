"""Lists in a box over the screen, to choose from."""
