"""Time a search against the loop that it replaces: `python search/benchmark.py`."""

import sys

from arith_lightning.search.benchmark import main

if __name__ == "__main__":
    sys.exit(main())
