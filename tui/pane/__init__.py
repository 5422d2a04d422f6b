"""The pane of a table: the table view with its features."""
