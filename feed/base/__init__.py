"""Helpers that know no tables."""
