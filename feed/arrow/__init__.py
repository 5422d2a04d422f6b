"""NumPy's, pandas' and Python's values as Arrow arrays, and back."""
