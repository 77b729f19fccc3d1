"""Rates with intervals: a claim about seeds is a share of successes and how far it can be trusted."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from scipy.stats import binomtest


class Rate(NamedTuple):
    """Successes out of n, with a Wilson 95 % interval (Wilson 1927; the interval of the published tables)."""

    successes: int
    n: int

    @property
    def value(self) -> float:
        """Return the share."""
        return self.successes / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Return the lower and upper end of the interval."""
        interval = binomtest(self.successes, self.n).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)

    def agrees(self, other: "Rate") -> bool:
        """Return whether the 95 % interval of the difference of two rates holds 0 (Newcombe 1998, method 10)."""
        low, high = sorted((self, other), key=lambda rate: rate.value)
        reach = math.hypot(low.interval[1] - low.value, high.value - high.interval[0])
        return high.value - low.value <= reach

    def ends(self, digits: int = 2) -> tuple[str, str]:
        """Return the interval's ends with some digits after the point, each rounded away from the other.

        What is printed holds the whole interval: of 1,000 successes out of 1,000 it is 0.99 to 1.00.
        """
        unit = Decimal(1).scaleb(-digits)
        low, high = map(Decimal, self.interval)
        return str(low.quantize(unit, ROUND_FLOOR)), str(high.quantize(unit, ROUND_CEILING))

    def percent(self) -> tuple[str, str]:
        """Return the interval's ends as whole percentages, rounded likewise."""
        low, high = (Decimal(end) for end in self.ends(2))
        return f"{low:.0%}", f"{high:.0%}"

    def __str__(self) -> str:
        low, high = self.ends()
        return f"{self.successes}/{self.n} = {self.value:.2f} [{low}, {high}]"
