"""Processes that start fast: forked from one without threads, which has the slow imports behind it."""

import multiprocessing
import os
from typing import Any


def context(module: str) -> Any:
    """Return multiprocessing's context whose processes find `module` imported; where none can be forked, they spawn."""
    if os.name != "posix":
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([module])
    return found
