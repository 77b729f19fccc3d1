"""When a run of an ordinary module is a success: its last value of a logged metric lies beyond a bound."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from arith_lightning.complaint import require


@dataclass(frozen=True)
class Success:
    """A logged metric and the bound that it must pass: one of `above` and `below`.

    Args:
        monitor: name under which the module logs the metric.
        above: the metric's last value must be greater.
        below: the metric's last value must be less.
    """

    monitor: str
    above: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.above, self.below) if bound is not None and math.isfinite(bound)]
        given = f"above: {self.above}, below: {self.below}"
        require(len(bounds) == 1, "success needs one finite bound, above or below", given, "as in above: 0.95")

    @property
    def bound(self) -> float:
        """What the metric must pass."""
        return self.below if self.above is None else self.above  # type: ignore[return-value]

    def passed(self, value: float) -> bool:
        """Tell whether a value is beyond the bound; what is not a number is not."""
        return value < self.bound if self.above is None else value > self.bound

    def best(self, values: list[float]) -> float:
        """Return the best of some values, what is not a number behind all others."""
        sign = 1 if self.above is None else -1
        return min(values, key=lambda value: math.inf if math.isnan(value) else sign * value)

    def __str__(self) -> str:
        return f"{self.monitor} {'below' if self.above is None else 'above'} {self.bound:g}"


class Course(NamedTuple):
    """What the Trainer of one seed measured: the monitored metric over optimizer steps."""

    seed: int
    steps: list[int]
    values: list[float]

    @property
    def value(self) -> float:
        """The last value, which is judged."""
        return self.values[-1]

    @property
    def diverged(self) -> bool:
        """Whether the last value is not finite."""
        return not math.isfinite(self.value)

    def success(self, success: Success) -> bool:
        """Tell whether the run is a success."""
        return not self.diverged and success.passed(self.value)

    def solved_at(self, success: Success) -> int | None:
        """Return the first step whose value passes; None if none does."""
        return next((s for s, v in zip(self.steps, self.values, strict=True) if success.passed(v)), None)
