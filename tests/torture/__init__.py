"""What must not hurt the producer, the terminal or the numbers. Figures: pytest -rP."""
