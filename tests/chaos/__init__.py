"""Programs of the chaos test: a feed that changes at random, its viewers, and a bad line."""
