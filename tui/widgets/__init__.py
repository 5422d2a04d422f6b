"""Widgets that know no pane: the table's grid, the lines around it, the panels beside it."""
