"""What is only looked at ends no run: a picture or a dashboard that fails is told in one line, once.

Nor is it left halfway by Ctrl-C: dashboards share locks with threads of their own, which would then wait for ever.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from arith_lightning.terminal import uninterrupted

_told: set[str] = set()


@contextmanager
def harmless(what: str) -> Iterator[None]:
    """Go on after any error, and say that `what` is missing; Ctrl-C and SIGTERM wait until the block has ended."""
    try:
        with uninterrupted():
            yield
    except Exception as error:  # drawing and logging can fail in any way
        line = next(iter(str(error).strip().splitlines()), "")
        if what not in _told:
            _told.add(what)
            # not by a console of its own, which would tear a bar that is being drawn
            print(f"{what} is left out ({type(error).__name__}: {line}); the run goes on", file=sys.stderr)
