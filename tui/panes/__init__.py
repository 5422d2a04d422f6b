"""A table with its trust line, its prompt and its panels: all that is on the screen of one."""
