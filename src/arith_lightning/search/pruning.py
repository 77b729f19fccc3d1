"""Successive halving inside a population: at each rung only the best third of the settings trains on.

A rung is an evaluation whose number is a power of three. A setting stays if its value there is among the best third of
all trials of the study that have reached the rung, so batches of different workers compete. Hyperband spreads batches
over brackets, whose pruning starts at the first, second, ... rung, in case early values mislead.

Sources: Li et al., "A system for massively parallel hyperparameter tuning" (2020); Li et al., "Hyperband" (2018).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import Trial

from arith_lightning.search.objective import Result, value

PRUNERS = ("halving", "hyperband", "none")
FACTOR = 3
"""One setting in so many survives a rung."""
BRACKETS = 3

Prune = Callable[[int, Mapping[int, Result]], set[int]]
"""Told an evaluation's number (from 1) and results by index in the batch; returns the indices to drop."""


def rule(pruner: str, steps: int, study: Study, trials: Sequence[tuple[Trial, Any]]) -> Prune | None:
    """Return what drops members of a batch of trials; None if nothing does."""
    if pruner == "none":
        return None
    batch = min(trial.number for trial, _ in trials) // max(1, len(trials))
    first = FACTOR ** (batch % BRACKETS if pruner == "hyperband" else 0)

    def prune(evaluation: int, results: Mapping[int, Result]) -> set[int]:
        if not is_rung(evaluation):
            return set()
        values = {index: value(result, steps) for index, result in results.items()}
        for index, mine in values.items():
            with suppress(UpdateFinishedTrialError):  # another machine has given the trial up for lost
                trials[index][0].report(mine, evaluation)
        if evaluation < first:
            return set()
        known = [t.intermediate_values.get(evaluation) for t in study.get_trials(deepcopy=False)]
        least = lowest_kept([v for v in known if v is not None])
        return {index for index, mine in values.items() if mine < least}

    return prune


def is_rung(evaluation: int) -> bool:
    """Tell whether the number of an evaluation is a power of the factor."""
    while evaluation % FACTOR == 0:
        evaluation //= FACTOR
    return evaluation == 1


def lowest_kept(values: Sequence[float]) -> float:
    """Return the least value among the best 1 / FACTOR."""
    return sorted(values, reverse=True)[ceil(len(values) / FACTOR) - 1]
