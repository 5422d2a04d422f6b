"""What a person chose, in TOML files."""
