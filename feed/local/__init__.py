"""This user's tables on this machine: who holds which name, and when that changes."""
