"""Start a command so that an interrupt is answered from the first moment on: its imports take seconds."""

import gc
import importlib
import signal
import sys
from types import ModuleType

from arith_lightning import commandline
from arith_lightning.terminal import INTERRUPTED, REFUSED, said


def launch(module: str) -> int:
    """Look for the files that are named, then import a module and run its `main`; return the exit code."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        commandline.examine(sys.argv[1:])
        return int(imported(module).main())
    except commandline.MissingFileError as error:
        return said(f"error: {error}", REFUSED)
    except KeyboardInterrupt:
        return said("interrupted before anything was begun; run the same command again", INTERRUPTED)


def imported(module: str) -> ModuleType:
    """Import a module; looking for garbage among what is imported would take a sixth of the time, now and later."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
