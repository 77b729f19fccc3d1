"""How a command ends: its exit code, and one line about whatever ended it early."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

REFUSED, INTERRUPTED = 2, 130
"""Exit codes: of a command that cannot do what it was asked, and of one ended by Ctrl-C or SIGTERM."""


def answered(action: Callable[[], Any], kept: str, also: tuple[type[Exception], ...] = ()) -> int:
    """Run a command; return its exit code.

    Args:
        action: what the command does.
        kept: what becomes of its work when it is interrupted, for the line that says so.
        also: exceptions, beside `ValueError`, whose message is the line.
    """
    refusals: tuple[type[Exception], ...] = (ValueError, *also)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        action()
    except KeyboardInterrupt:
        return said(f"interrupted; {kept}", INTERRUPTED)
    except refusals as error:
        return said(f"error: {error}", REFUSED)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        way_out = "free or change the disk, the same command continues"
        return said(f"error: files must be writable; got {error.strerror or error}{where}; {way_out}", REFUSED)
    return 0


def said(line: str, code: int) -> int:
    """Print a line on standard error; return the code."""
    print(line, file=sys.stderr)
    return code


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block has ended."""
    if threading.current_thread() is not threading.main_thread():  # no other is ever interrupted
        yield
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, frame: held.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if held:
            signal.raise_signal(held[0])
