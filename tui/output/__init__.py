"""A table as text or as a file. No Textual."""
