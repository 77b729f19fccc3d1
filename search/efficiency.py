"""Count what a search takes to the first setting that trains: `python search/efficiency.py parity --steps 70`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.search.efficiency"))
