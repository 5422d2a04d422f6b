"""Threads and processes that work for the screen. Each keeps only its newest result."""
