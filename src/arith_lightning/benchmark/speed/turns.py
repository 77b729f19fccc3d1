"""Measuring: contestants take turns, so that whatever else the machine does hits all of them alike."""

from collections.abc import Callable, Sequence

from arith_lightning.benchmark.speed.contestants import Contestant
from arith_lightning.benchmark.speed.figures import Figure, figure

PREPARING = 12
"""Turns' worth of getting ready, for the time left."""
PLAIN = ("PyTorch loop", "Lightning")
"""Whose products are too few a second to be of interest."""
Told = Callable[[str, int], None]
"""Takes what is going on, and how many turns' worth of time have gone by."""


def measure(
    title: str, found: Sequence[Contestant], seconds: float, repeats: int, flop: int, told: Told
) -> list[Figure]:
    """Time everyone in a row.

    Args:
        title: of the row.
        found: the contestants.
        seconds: CPU seconds of a turn.
        repeats: turns each.
        flop: operations of an update in products of matrices, 0 for none.
        told: called before every turn.

    Returns:
        Rates with their ranges, compiling, and of a row with products of matrices, how well they are done.
    """
    figures, model = [], title.partition(",")[0]
    for each in found:
        told(f"{model}: {each.name}, P = {each.members:,}, getting ready", 0)
        compiling = each.prepare(seconds)
        told(model, PREPARING)
        if compiling:
            figures.append(figure(title, each.name, each.members, "compile s", [compiling[0]], compiling[1]))
    rates: list[list[float]] = [[] for _ in found]
    for _ in range(repeats):
        for each, rate in zip(found, rates, strict=True):
            told(f"{model}: {each.name}, P = {each.members:,}", 0)
            rate.append(each.rate())
            told(model, 1)
    for each, rate in zip(found, rates, strict=True):
        figures.append(figure(title, each.name, each.members, each.unit, rate))
    return figures + (products(title, found, rates, flop) if flop else [])


def products(title: str, found: Sequence[Contestant], rates: list[list[float]], flop: int) -> list[Figure]:
    """Return GFLOP/s of populations and JAX, and their shares of the matrix product measured in the same turns."""
    limits = next(rate for each, rate in zip(found, rates, strict=True) if each.name == "sgemm")
    figures = [figure(title, "", 0, "MFLOP an update", [flop / 1e6])]
    for each, rate in zip(found, rates, strict=True):
        if each.unit == "updates/s" and each.name not in PLAIN:
            speeds = [value * flop / 1e9 for value in rate]
            shares = [speed / limit for speed, limit in zip(speeds, limits, strict=True)]
            for measure, values in (("GFLOP/s", speeds), ("share of sgemm", shares)):
                figures.append(figure(title, each.name, each.members, measure, values))
    return figures
