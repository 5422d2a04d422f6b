"""Live panels beside a table: row details, column statistics, charts."""
