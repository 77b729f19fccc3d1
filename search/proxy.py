"""Serve a storage to other machines: `python search/proxy.py --storage logs/parity/journal.log`."""

import sys

from arith_lightning.launch import launch

if __name__ == "__main__":
    sys.exit(launch("arith_lightning.search.proxy"))
