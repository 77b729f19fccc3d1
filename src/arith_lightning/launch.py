"""Start a command so that an interrupt is answered from the first moment on: its imports take seconds."""

import gc
import importlib
import signal

from arith_lightning.terminal import INTERRUPTED, said


def launch(module: str) -> int:
    """Import a module and run its `main`; return the exit code."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        gc.disable()  # imports leave no garbage; looking for it among them takes a sixth of their time, now and later
        try:
            imported = importlib.import_module(module)
        finally:
            gc.freeze()
            gc.enable()
        return int(imported.main())
    except KeyboardInterrupt:
        return said("interrupted before anything was begun; run the same command again", INTERRUPTED)
