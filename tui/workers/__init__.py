"""Threads and processes that work for the screen, and hold one newest thing."""
