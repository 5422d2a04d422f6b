"""The person's settings and views, as TOML files."""
