"""The numbers of the published script of the single module task: numpy's Mersenne Twister, batch after batch.

A seed's generator supplies one number, the seed of a second one, and that fills the training batches in order, example
by example. Both evaluation sets have seeds of their own. With two intervals a batch is drawn from each, and a coin
decides number by number.

Source: code of Mistry, Farrahi and Hare (2022), bmistry4/nalm-benchmark, which took it from Madsen and Johansen (2020).
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from arith_lightning.data.base import EVALUATION_SIZE

EVALUATION_SEEDS = {"interpolation": 43953907, "extrapolation": 8689336}
FEATURES = 2
SKIPPED_AT_ONCE = 1000
"""Batches that are drawn and thrown away together on the way to a later one."""

Units = tuple[np.ndarray, np.ndarray]
"""Numbers from U[0, 1), `(batches, intervals, examples, features)`, and which inputs lie in the first interval."""


def units(generator: np.random.RandomState, batches: int, intervals: int, examples: int, features: int) -> Units:
    """Draw the next batches of a generator."""
    if intervals == 1:
        return generator.random_sample((batches, 1, examples, features)), np.ones((batches, 1, 1), dtype=bool)
    drawn = [
        (generator.random_sample((2, examples, features)), generator.randint(2, size=(examples, features)))
        for _ in range(batches)
    ]
    return np.stack([numbers for numbers, _ in drawn]), np.stack([coins for _, coins in drawn]) == 1


class Batches:
    """One seed's training batches: the next ones, or any others, to which it starts again and skips."""

    def __init__(self, seed: int, intervals: int, examples: int, features: int) -> None:
        self.seed, self.shape = seed, (intervals, examples, features)
        self._restart()

    def _restart(self) -> None:
        self.generator = np.random.RandomState(np.random.RandomState(self.seed).randint(0, 2**32 - 1))
        self.next, self.looked_at = 0, (0, self.generator.get_state())

    def at(self, step: int, count: int) -> Units:
        """Return the batches of `count` steps from `step` on."""
        if step == self.looked_at[0]:
            self.generator.set_state(self.looked_at[1])
            self.next = step
        elif step < self.next:
            self._restart()
        while self.next < step:
            skipped = min(SKIPPED_AT_ONCE, step - self.next)
            units(self.generator, skipped, *self.shape)
            self.next += skipped
        if count == 1:  # a diagnosis looks at a single batch, on which training then goes on
            self.looked_at = (step, self.generator.get_state())
        self.next += count
        return units(self.generator, count, *self.shape)


@lru_cache(maxsize=4)
def evaluation_units(seed: int, intervals: int, examples: int, features: int) -> Units:
    """Return the numbers of an evaluation set; those of a single interval are the first of those of two."""
    return units(np.random.RandomState(seed), 1, intervals, examples, features)


def training_inputs(
    known: dict[int, Batches], seeds: Tensor, rows: Tensor, step: int, count: int, examples: int
) -> Tensor:
    """Return the inputs of `count` steps from `step` on, `(count, members, features, examples)` in float64.

    Args:
        known: generators by seed, which go on from call to call.
        seeds: seed of every member.
        rows: intervals of every member, `(members, intervals, 2)`.
        step: first step.
        count: number of steps.
        examples: batch size.
    """
    drawn = {}
    for seed in dict.fromkeys(seeds.tolist()):
        if seed not in known:
            known[seed] = Batches(seed, rows.shape[-2], examples, FEATURES)
        drawn[seed] = known[seed].at(step, count)
    numbers, first = (np.stack([drawn[seed][part] for seed in seeds.tolist()], axis=1) for part in (0, 1))
    return inputs(numbers, first, rows)


def evaluation_inputs(split: str, shift: int, rows: Tensor) -> Tensor:
    """Return the inputs of an evaluation set, `(features, examples)`; `shift` other than 0 gives another such set."""
    drawn = evaluation_units(EVALUATION_SEEDS[split] + shift, rows.shape[-2], EVALUATION_SIZE, FEATURES)
    return inputs(*drawn, rows).squeeze(0)


def inputs(numbers: np.ndarray, first: np.ndarray, rows: Tensor) -> Tensor:
    """Return inputs in float64: numbers `(..., intervals, examples, features)` scaled to `(..., features, examples)`.

    Args:
        numbers: as `units` draws them.
        first: likewise.
        rows: the intervals `(..., count, 2)` in float64; two equal ones count as a single one.
    """
    unit, chosen = (torch.from_numpy(part).to(rows.device).mT for part in (numbers, first))
    low, width = (part[..., None, None] for part in (rows[..., 0], rows[..., 1] - rows[..., 0]))
    parts = low + width * unit
    if parts.shape[-3] == 1:
        return parts.squeeze(-3)
    single = (rows[..., 0, :] == rows[..., 1, :]).all(-1)[..., None, None]
    return torch.where(chosen | single, parts[..., 0, :, :], parts[..., 1, :, :])
