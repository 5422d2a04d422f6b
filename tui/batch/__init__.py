"""A table read without a screen, for scripts."""
