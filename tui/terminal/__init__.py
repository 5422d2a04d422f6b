"""The terminal: its driver, its painter, and all that is private to Textual."""
