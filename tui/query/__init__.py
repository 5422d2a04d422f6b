"""Filter, sort, group, search, compute: pure functions of a table. No Textual."""
