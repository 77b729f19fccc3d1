"""The command `python -m arith_lightning.remedies`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.remedies.command"))
