"""Train the cells of a table (`--config configs/tables/single_module.yaml`), or measure `speed`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.benchmark.command"))
