"""A table as immutable states that share rows, and what changed between two of them."""
