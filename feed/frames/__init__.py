"""A frame that was handed over, to the bytes of an Arrow stream and back."""
