"""Rates with intervals: a claim about seeds is a share of successes and how far it can be trusted."""

import math
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

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.successes}/{self.n} = {self.value:.2f} [{low:.2f}, {high:.2f}]"
