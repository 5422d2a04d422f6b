"""Widgets: the table's grid, the lines around it, the panels beside it. They know no pane."""
