"""Better, no different, worse: told apart by intervals, on numbers made by hand."""

import math

import pytest

from arith_lightning.remedies.trying import Tried
from arith_lightning.remedies.verdict import Verdict, verdict


def tried(successes, of=16, error=1.0):
    return Tried([k < successes for k in range(of)], [error] * of, 100)


@pytest.mark.parametrize(
    ("before", "after", "did"),
    [
        (tried(0), tried(16), Verdict.HELPED),
        (tried(16), tried(0), Verdict.WORSE),
        (tried(0), tried(4), Verdict.HELPED),
        (tried(0), tried(3), Verdict.NOTHING),  # the interval of 3/16 - 0/16 holds 0
        (tried(0, of=64), tried(12, of=64), Verdict.HELPED),
        (tried(8), tried(8), Verdict.NOTHING),
        (tried(0), tried(0, error=0.1), Verdict.HELPED),
        (tried(0), tried(0, error=0.11), Verdict.NOTHING),
        (tried(0, error=0.1), tried(0), Verdict.WORSE),
        (tried(0, error=math.inf), tried(0), Verdict.HELPED),
        (tried(0, error=math.inf), tried(0, error=math.inf), Verdict.NOTHING),
        (tried(0, error=0.0), tried(0, error=0.0), Verdict.NOTHING),
        (tried(0), tried(16, error=100.0), Verdict.HELPED),  # the rate decides where it differs
    ],
)
def test_a_remedy_helps_does_nothing_or_makes_it_worse(before, after, did):
    assert verdict(before, after) == did


def test_what_is_worth_most_solves_it_for_most_seeds_and_then_has_the_lowest_median_error():
    order = [tried(9), tried(8, error=0.1), tried(8), tried(8, error=math.inf)]
    assert sorted(order, key=lambda one: one.worth)[::-1] == order
    assert Tried([True, False, False, False], [0.1, 0.4, math.inf, 0.2], 1).median == 0.2
