"""Time a search against the loop that it replaces: `python search/benchmark.py`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.search.benchmark"))
