"""Train the cells of a table: `python -m arith_lightning.benchmark --config configs/tables/single_module.yaml`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.benchmark.command"))
