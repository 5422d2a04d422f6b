"""A value as text: numbers, times, lists, ages. No Textual."""
