"""Benchmarks: real feeds, real viewers in real pseudo-terminals, side by side in one run."""
