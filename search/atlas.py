"""Draw where training succeeds: `python search/atlas.py nmu_mul`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.search.atlas"))
