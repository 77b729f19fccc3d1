"""What a remedy did, told apart with intervals."""

from enum import StrEnum

from arith_lightning.remedies.trying import Tried

TIMES = 10.0
"""How many times lower or higher a median error must be to count where success rates do not differ."""
SOLVED = 0.9
"""Share of fresh seeds from which something is said to solve it."""


class Verdict(StrEnum):
    """The three things that a remedy can do."""

    HELPED = "helped"
    NOTHING = "did nothing"
    WORSE = "made it worse"


def verdict(before: Tried, after: Tried) -> Verdict:
    """Compare two tries: by success rates if the interval of their difference is beside 0, else by median errors."""
    if not before.rate.agrees(after.rate):
        return Verdict.HELPED if after.rate.value > before.rate.value else Verdict.WORSE
    if after.median < before.median and TIMES * after.median <= before.median:
        return Verdict.HELPED
    if before.median < after.median and TIMES * before.median <= after.median:
        return Verdict.WORSE
    return Verdict.NOTHING
