"""What is known in advance about where training succeeds: lines over the maps, named in a space's `map.theory`."""

import math
from collections.abc import Callable
from typing import NamedTuple

from arith_lightning.config import Experiment


class Line(NamedTuple):
    """A horizontal line of a map."""

    y: float
    label: str


BASIN = 2.17
"""First maximum of E sin(d x)^4 over x in [0, N], as d N."""


def sine_basin(experiment: Experiment) -> list[Line]:
    """Return the starts of w between which gradient descent on sin(w x)^2 rolls to pi/2, for integers below N.

    On integers the squared error is E sin(d x)^4 with d = w - pi/2: zero at d = 0, rising up to |d| = 2.17 / N,
    beyond which the next of its many minima takes over.
    """
    half = BASIN / experiment.data.batch_size
    return [Line(math.pi / 2 - half, "pi/2 - 2.17/N"), Line(math.pi / 2 + half, "pi/2 + 2.17/N")]


def nmu_barrier(experiment: Experiment) -> list[Line]:
    """Return the weights 1 / (1 - x) at which a factor W x + 1 - W is zero, at both ends of a negative range of x.

    Weights that start below both are drawn to 0, above both to 1. Two equal weights w part where the gradient of
    their mean squared error vanishes below w = 1: with a = 1 - x, at the root of
    2 E[a^2]^2 w (w + 1) - (3 w + 1) 2 E[a^2] E[a] + 2 (E[a^2] + E[a]^2) = 0.
    """
    low, high = experiment.data.columns()["interpolation"].flatten().tolist()
    mean = 1 - (low + high) / 2
    square = ((1 - low) ** 3 - (1 - high) ** 3) / (3 * (high - low))
    a, b, c = 2 * square**2, 2 * square**2 - 6 * square * mean, 2 * (square + mean**2) - 2 * square * mean
    equal = (-b + math.sqrt(b**2 - 4 * a * c)) / (2 * a)
    lines = [Line(1 / (1 - x), f"1/(1 - x), x = {x:g}") for x in (low, high) if x < 0]
    return [*lines, Line(equal, f"two equal weights part at {equal:.3f}")]


FUNCTIONS: dict[str, Callable[[Experiment], list[Line]]] = {f.__name__: f for f in (sine_basin, nmu_barrier)}
