"""The single module task: t = x_0 op x_1, tested outside the training range.

Inputs beyond the first two are distractors. The task isolates one unit: no hidden layer, no redundancy.

Source: Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022), section on the single module
task; the same authors' "Learning Division with Neural Arithmetic Logic Modules" (2021) for division by small numbers.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations, published
from arith_lightning.data.base import ArithmeticDataModule, Asked, Split
from arith_lightning.data.distributions import Distribution, Moments, Range, in_words, intervals, uniform
from arith_lightning.streams import Stream

NEXT_TO_ZERO = 2.0**-24
"""Stands for an input of 0, which real numbers never hit and multiples of 2^-24 do once in 17 million draws: a quotient
would be infinite, the gradient of log |x| not a number, and the member lost."""


class SingleModuleTask(ArithmeticDataModule):
    """Two operands (and distractors) drawn from the interpolation range; tested on the extrapolation range.

    Solved when the extrapolation error is below that of an epsilon-perfect solution, or below a given threshold.

    Args:
        operation: add, sub, mul, div, reciprocal, square or root; the last three are of the first operand alone.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise.
        in_features: inputs, of which the operands come first.
        epsilon: error of every weight of the solution that sets the threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
        threshold: error that counts as solved, instead of the epsilon-perfect one; needed where that is infinite, as
            with divisors near 0.
        streams: `counter`, this project's numbers, or `published`, those that the published script draws from numpy
            for the same seed; populations are then about ten times slower.
    """

    transient = ArithmeticDataModule.transient | {"_generators"}
    distribution: Distribution = "uniform"

    def __init__(
        self,
        operation: str = "mul",
        interpolation: list[float] | list[list[float]] = [1.0, 2.0],
        extrapolation: list[float] | list[list[float]] = [2.0, 6.0],
        in_features: int = 2,
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
        threshold: float | None = None,
        streams: Literal["counter", "published"] = "counter",
    ) -> None:
        super().__init__(batch_size, seed)
        self.operation = operations.operation(operation)
        operands = self.operation.operands
        require(
            in_features >= operands,
            f"in_features must be at least {operands} for {operation}, the operands",
            in_features,
            f"try {operands}",
        )
        require(0 < epsilon < 1, "epsilon must lie in (0, 1)", epsilon, "the published values are 1e-5 and 1e-4")
        require(
            threshold is None or 0 < threshold < float("inf"),
            "threshold must be positive and finite, or null",
            threshold,
            "try 1e-5",
        )
        self.in_features, self.epsilon, self._given = in_features, epsilon, threshold
        self._ranges = ranges(operation, interpolation, extrapolation)
        self.streams, self.draws_ahead = streams, streams == "published"
        self._generators: dict[int, published.Batches] = {}
        require(
            not self.draws_ahead or (in_features == 2 and max(map(len, self._ranges.values())) <= 2),
            "published streams know two inputs, fresh from the same one or two intervals",
            f"{in_features=}, {interpolation=}",
            "set streams to counter",
        )
        limit = self.threshold(self.columns()).item()
        require(
            0 < limit < float("inf"),
            f"an epsilon-perfect {operation} must have a finite error on the extrapolation range",
            f"{limit} on {extrapolation} with epsilon {epsilon}",
            "keep 0 out of divisors, and epsilon below 1 / |x|, or give a threshold",
        )

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges."""
        return self._ranges

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return operation, ranges and epsilon."""
        return Asked(
            self.operation.name,
            in_words(columns, "interpolation", self.distribution),
            in_words(columns, "extrapolation", self.distribution),
            self.epsilon,
        )

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw operands and distractors from the ranges of the split."""
        x = self.inputs(stream, columns, split, size)
        x = torch.where(x == 0, NEXT_TO_ZERO, x)
        return x, self._target(x)

    def inputs(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> Tensor:
        """Draw `(in_features, size)` operands and distractors, among which there may be zeros."""
        return uniform(stream, columns[split], (self.in_features, size))

    def moments(self, columns: Mapping[str, Tensor]) -> list[Moments]:
        """Return those of a first and of a second operand on the extrapolation range."""
        return [Moments.of(columns["extrapolation"])] * 2

    def _target(self, x: Tensor) -> Tensor:
        return self.operation.function(x[..., 0, :], x[..., min(1, self.in_features - 1), :]).unsqueeze(-2)

    def draw_ahead(
        self, seeds: Tensor, columns: Mapping[str, Tensor], step: int, count: int, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Return the published script's batches, computed in float64 and rounded, as there."""
        x = published.training_inputs(self._generators, seeds, columns["interpolation"], step, count, self.batch_size)
        return x.to(dtype).contiguous(), self._target(x).to(dtype)

    def evaluation_set(
        self, split: Split, columns: Mapping[str, Tensor] | None = None, like: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the fixed set of a split, that of the published script with published streams."""
        if not self.draws_ahead:
            return super().evaluation_set(split, columns, like)
        like = torch.zeros(()) if like is None else like
        rows = (self.columns() if columns is None else columns)[split].to(like.device)
        x = published.evaluation_inputs(split, self.evaluation_seed, rows)
        return x.to(like), self._target(x).to(like)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the given threshold, or else the epsilon-perfect mean squared error on the extrapolation range."""
        if self._given is not None:
            return torch.tensor(self._given, dtype=torch.float64)
        return self.operation.epsilon_perfect(
            (self.moments(columns) * self.in_features)[: self.in_features], self.epsilon
        )


def ranges(operation: str, interpolation: Range, extrapolation: Range, prefix: str = "") -> dict[str, Tensor]:
    """Return an operand's ranges by name, `(intervals, 2)` each; where it may divide, [0, high) becomes (0, high]."""
    found = {
        f"{prefix}interpolation": intervals(f"{prefix}interpolation", interpolation),
        f"{prefix}extrapolation": intervals(f"{prefix}extrapolation", extrapolation, count=2),
    }
    if operation in operations.DIVISIONS:
        # drawn from the other end
        return {name: torch.where(r[:, :1] == 0, r.flip(-1), r) for name, r in found.items()}
    return found
