"""Serve a storage to other machines: `python search/proxy.py --storage logs/parity/journal.log`."""

import sys

from arith_lightning.search.proxy import main

if __name__ == "__main__":
    sys.exit(main())
