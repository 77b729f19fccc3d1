"""Count what a search takes to the first setting that trains: `python search/efficiency.py parity --steps 70`."""

import sys

from arith_lightning.search.efficiency import main

if __name__ == "__main__":
    sys.exit(main())
