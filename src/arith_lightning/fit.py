"""Train one experiment as a population of seeds: `python -m arith_lightning.fit --config configs/nalu_mul.yaml`."""

import sys

from arith_lightning.launch import launch


def main() -> int:
    """Run the command; return its exit code."""
    return launch("arith_lightning.fitting")


if __name__ == "__main__":
    sys.exit(main())
