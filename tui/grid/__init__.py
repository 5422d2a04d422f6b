"""The visible part of a table, as cells with a position and a look. No Textual."""
