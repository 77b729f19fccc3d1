"""Find where arithmetic trains: `python search/optimize.py`."""

import sys

from arith_lightning.search.optimize import main

if __name__ == "__main__":
    sys.exit(main())
