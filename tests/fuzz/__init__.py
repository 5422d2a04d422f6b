"""Messages that are damaged on purpose, and whether they do harm: `python -m tests.fuzz`."""
