"""Start a command so that an interrupt is answered from the first moment on: its imports take seconds."""

import importlib
import signal

from arith_lightning.terminal import INTERRUPTED, said

"""Exit code of an interrupted command, by Ctrl-C or SIGTERM, as of any program ended by Ctrl-C."""


def launch(module: str) -> int:
    """Import a module and run its `main`; return the exit code."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        return int(importlib.import_module(module).main())
    except KeyboardInterrupt:
        return said("interrupted before anything was begun; run the same command again", INTERRUPTED)
