"""The producer's side: keeps the newest state of each table, and answers viewers."""
