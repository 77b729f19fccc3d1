"""Draw where training succeeds: `python search/atlas.py nmu_mul`."""

import sys

from arith_lightning.search.atlas import main

if __name__ == "__main__":
    sys.exit(main())
