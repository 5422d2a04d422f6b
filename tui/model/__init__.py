"""One state of a table, immutable, and the states before it. No Textual."""
