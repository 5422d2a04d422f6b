"""What the viewer works out, compared with pandas, DuckDB and arithmetic on random inputs."""
