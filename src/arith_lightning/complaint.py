"""The one form of every complaint about a user's value: the rule, the value, the way out, the nearest name that exists.

Raises nothing but `ValueError`, which each command shows as one line; needs nothing else of the project.
"""

import difflib
from collections.abc import Iterable


def require(holds: bool, rule: str, value: object, way_out: str) -> None:
    """Raise a `ValueError` unless a rule about a user's value holds."""
    if not holds:
        raise ValueError(f"{rule}; got {short(value)}; {way_out}")


def short(value: object, most: int = 200) -> str:
    """Return a value as one line of at most `most` characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 4 :]}"


def nearest(key: str, known: Iterable[str]) -> str:
    """Return a hint at the known name closest to `key`, by its whole or by its last part; empty without one."""
    known = [name for name in known if name != key]
    last = {name.rpartition(".")[2]: name for name in known}
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    close = close or [last[name] for name in difflib.get_close_matches(key.rpartition(".")[2], last, n=1)]
    return f"; the nearest is '{close[0]}'" if close else ""
