"""A table with its features: all that is on the screen of one."""
