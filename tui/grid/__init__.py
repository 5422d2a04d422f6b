"""The window of a table that is in sight, as cells with a place and a look. No Textual."""
