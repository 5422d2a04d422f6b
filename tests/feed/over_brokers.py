"""A producer, and what tests read, of tables that a broker carries."""

from __future__ import annotations

PRODUCER = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id", endpoint=sys.argv[1])
n = int(sys.argv[2])
while True:
    orders.send(pd.DataFrame({"id": range(50), "n": n, "twice": 2 * n}))
    n += 1
    time.sleep(0.01)
"""
