"""Brokers that carry tables between machines: NATS and Redis, one file each."""
