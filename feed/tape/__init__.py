"""Recordings: a table's frames with their times in a file."""
