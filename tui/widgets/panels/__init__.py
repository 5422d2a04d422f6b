"""What stands beside a table: a row in full, a column in figures, a chart. All live."""
