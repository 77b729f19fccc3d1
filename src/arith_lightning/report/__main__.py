"""Write pages of what was trained: `python -m arith_lightning.report systems`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.report.command"))
