"""The reader's side: ask for a table, get its newest state."""
