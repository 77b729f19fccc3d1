"""Find where arithmetic trains: `python search/optimize.py`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.search.optimize"))
