"""What a trial is worth: the share of its seeds that succeed, and below that how close the others come."""

import math
from typing import NamedTuple

import torch

from arith_lightning.population import Population

WORST = 0.0
"""Value of a trial whose seeds have all diverged; every other trial has more."""
DECADES = 4.0
"""Orders of magnitude of error that move the graded part by a factor of ten at its ends."""
LIMIT = 40.0
"""Bound on logarithms of errors, so that exact and diverged seeds have finite ones."""


class Result(NamedTuple):
    """What the seeds of one setting did."""

    successes: int
    n: int
    diverged: int
    excess: float
    """Median over the seeds of log10(error / threshold), within +-LIMIT."""
    solved_at: float
    """Median over the solved seeds of the step at which they were first seen solved; NaN without any."""
    pruned_at: int | None = None
    """Step at which the setting was dropped; None if it trained to the end."""

    @property
    def rate(self) -> float:
        """Share of successful seeds."""
        return self.successes / self.n


def value(result: Result, steps: int) -> float:
    """Return what a study maximizes: the success rate; below it a smaller error; below that an earlier solution.

    A smaller error adds less than one seed's worth, and an earlier solution at most a hundredth of that, so neither
    outweighs a success. Every value is finite, also that of a setting whose seeds have all diverged.

    Args:
        result: what the seeds did.
        steps: steps of a trial that is not pruned.
    """
    if result.diverged == result.n:
        return WORST
    graded = 1 / (1 + 10 ** (result.excess / DECADES))
    early = 0.0 if math.isnan(result.solved_at) else 1 - result.solved_at / steps
    return result.rate + (0.99 * graded + 0.01 * early) / result.n


def summarize(population: Population, tasks: int = 1) -> list[Result]:
    """Return one result for every `tasks` settings of a population (one trial on each task), as far as it has come."""
    shape = (len(population.settings) // tasks, tasks * len(population.seeds))
    success = population.success.reshape(shape)
    record = population.record
    error, diverged, step = (part.reshape(shape) for part in (record.error, record.diverged, record.solved_at_step))
    excess = (error / population.threshold.reshape(shape)).log10()
    excess = excess.nan_to_num(LIMIT, LIMIT, -LIMIT).clamp(-LIMIT, LIMIT)
    excess = torch.where(diverged, LIMIT, excess)
    solved = torch.where(success, step.double(), torch.nan)
    rows = zip(
        success.sum(1).tolist(),
        diverged.sum(1).tolist(),
        excess.quantile(0.5, dim=1).tolist(),
        solved.nanquantile(0.5, dim=1).tolist(),
        strict=True,
    )
    return [Result(successes, shape[1], *rest) for successes, *rest in rows]
