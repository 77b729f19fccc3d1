"""Whatever is wrong with an input: one message, exit code 2, no traceback, no hang, and nothing written.

Inputs are made by rule: each argument of each class with values that its type cannot have, each key of a space and of a
table with each type that it is not. What a rule makes is wrong by that rule; nothing is skipped.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from arith_lightning import fit

BASE = ["--config", "configs/nmu_mul.yaml"]
SMALL = ["--seeds=2", "--trainer.max_steps=2", "--evaluate_every=1", "--compile=false"]
SOON = 20
"""Seconds within which every refusal has come, on a busy machine."""
LINES = 2

Case = tuple[str, Callable[[], int]]
OF_TYPES: dict[type, Any] = {int: 3, float: 0.5, str: "abc", list: ["a"], dict: {"a": 1}, bool: True, type(None): None}


def hold(cases: list[Case], capsys: pytest.CaptureFixture[str], least: int = 1) -> None:
    """Feed every case, `least` or more, and tell all that are not refused as they should be."""
    assert len(cases) >= least
    wrong = []
    before = sorted(Path().iterdir())
    for name, feed in cases:
        start = time.monotonic()
        try:
            code: Any = feed()
        except SystemExit as stop:
            code = stop.code
        except Exception as error:
            code = f"{type(error).__name__}: {error}"
        told = capsys.readouterr().err.strip()
        lines = [line for line in told.splitlines() if line.strip()]
        known = code == 2 and 1 <= len(lines) <= LINES and "error: " in told and "Traceback" not in told
        if not known or len(told) > 900 or time.monotonic() - start > SOON:
            wrong.append(f"{name} -> {code}, {told[-300:]!r}")
        if sorted(Path().iterdir()) != before:
            wrong.append(f"{name} has written {set(Path().iterdir()) - {*before}}")
            before = sorted(Path().iterdir())
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def fed(*arguments: str) -> Case:
    def feed() -> int:
        sys.argv[:] = ["fit", *BASE, *SMALL, *arguments]
        return fit.main()

    return " ".join(arguments), feed


def written(content: Any, run: Callable[[str], int], name: str = "wrong.yaml") -> Case:
    """A case that reads a file, which is gone afterwards."""

    def feed() -> int:
        path = Path(name)
        raw = content if isinstance(content, bytes) else yaml.safe_dump(content, sort_keys=False).encode()
        path.write_bytes(raw)
        try:
            return run(name)
        finally:
            path.unlink()

    return f"{content!r:.300}", feed
