"""The single module task: t = x_0 op x_1, tested outside the training range.

Inputs beyond the first two are distractors. The task isolates one unit: no hidden layer, no redundancy. The two
operands may have ranges of their own, and distributions other than the uniform one.

Source: Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022), section on the single module
task; the same authors' "Learning Division with Neural Arithmetic Logic Modules" (2021) for operands of different sign,
for other distributions and for division by small numbers; Schloer, Ring and Hotho, "iNALU: Improved Neural Arithmetic
Logic Unit" (2020) for fixed training rows and an absolute threshold.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations, published
from arith_lightning.data.base import ArithmeticDataModule, Split
from arith_lightning.data.distributions import Distribution, Moments, draw, intervals, parameters
from arith_lightning.streams import Purpose, Stream

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
        second_interpolation: training range of the second operand and every second distractor, where it differs.
        second_extrapolation: their test range.
        distribution: what holds inside an interval; uniform, benford, truncated_normal or exponential.
        interpolation_shape: mean and standard deviation of the normal, or scale of the exponential distribution.
        extrapolation_shape: the same of the extrapolation range.
        rows: how many rows are drawn once for each seed and then gone through in order, over and over; null draws
            fresh ones at every step.
        threshold: error that counts as solved, instead of the epsilon-perfect one; needed where that is infinite, as
            with divisors near 0.
        streams: `counter`, this project's numbers, or `published`, those that the published script draws from numpy
            for the same seed; populations are then about ten times slower.
    """

    transient = ArithmeticDataModule.transient | {"_generators"}

    def __init__(
        self,
        operation: str = "mul",
        interpolation: list[float] | list[list[float]] = [1.0, 2.0],
        extrapolation: list[float] | list[list[float]] = [2.0, 6.0],
        in_features: int = 2,
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
        second_interpolation: list[float] | list[list[float]] | None = None,
        second_extrapolation: list[float] | list[list[float]] | None = None,
        distribution: Distribution = "uniform",
        interpolation_shape: list[float] = [],
        extrapolation_shape: list[float] = [],
        rows: int | None = None,
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
            (second_interpolation is None) == (second_extrapolation is None),
            "a second operand with a range of its own needs both second_interpolation and second_extrapolation",
            f"{second_interpolation} and {second_extrapolation}",
            "give the other one too",
        )
        if rows is not None:
            require(
                rows >= 1 and not rows % batch_size,
                "rows must be a positive multiple of batch_size",
                f"{rows} in batches of {batch_size}",
                f"try {max(1, rows // batch_size) * batch_size}",
            )
        require(
            threshold is None or 0 < threshold < float("inf"),
            "threshold must be positive and finite, or null",
            threshold,
            "try 1e-5",
        )
        self.in_features, self.epsilon, self.distribution, self.rows = in_features, epsilon, distribution, rows
        self._given = threshold
        self._ranges = {
            "interpolation": intervals("interpolation", interpolation),
            "extrapolation": intervals("extrapolation", extrapolation, count=2),
        }
        if second_interpolation is not None and second_extrapolation is not None:
            self._ranges["second_interpolation"] = intervals("second_interpolation", second_interpolation)
            self._ranges["second_extrapolation"] = intervals("second_extrapolation", second_extrapolation, count=2)
        self.streams, self.draws_ahead = streams, streams == "published"
        self._generators: dict[int, published.Batches] = {}
        known = (distribution, rows, second_interpolation, in_features) == ("uniform", None, None, 2)
        require(
            not self.draws_ahead or (known and max(map(len, self._ranges.values())) <= 2),
            "published streams know two inputs, fresh from the same one or two intervals",
            f"{in_features=}, {interpolation=}, {second_interpolation=}, {distribution=}, {rows=}",
            "set streams to counter",
        )
        if operation in operations.DIVISIONS:
            # [low, high) becomes (0, high] where low is 0, by drawing from the other end
            self._ranges = {name: torch.where(r[:, :1] == 0, r.flip(-1), r) for name, r in self._ranges.items()}
        every = torch.cat(list(self._ranges.values()))
        shapes = {
            f"{split}_shape": parameters(f"{split}_shape", distribution, shape, every)
            for split, shape in (("interpolation", interpolation_shape), ("extrapolation", extrapolation_shape))
        }
        self._shapes = {name: shape for name, shape in shapes.items() if len(shape)}
        limit = self.threshold(self.columns()).item()
        require(
            0 < limit < float("inf"),
            f"an epsilon-perfect {operation} must have a finite error on the extrapolation range",
            f"{limit} on {extrapolation} with epsilon {epsilon}",
            "keep 0 out of divisors, and epsilon below 1 / |x|, or give a threshold",
        )

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges, and the shape of the distribution where it has one."""
        return self._ranges | self._shapes

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw operands and distractors from the ranges of the split."""
        if self.rows is not None:
            step = stream.step % (self.rows // self.batch_size)
            stream = Stream(stream.seed, Purpose(stream.purpose), step, stream.dtype)
        shape = columns[f"{split}_shape"].unbind(-1) if self._shapes else ()
        first, second = columns[split], columns.get(f"second_{split}")
        if second is None:
            x = draw(self.distribution, stream, first, (self.in_features, size), shape)
        else:
            ranges = [first, second] * self.in_features
            rows = [draw(self.distribution, stream, r, (size,), shape) for r in ranges[: self.in_features]]
            x = torch.stack(rows)
        x = torch.where(x == 0, NEXT_TO_ZERO, x)
        return x, self._target(x)

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
        shape = columns["extrapolation_shape"].unbind(-1) if self._shapes else ()
        pair = [columns["extrapolation"], columns.get("second_extrapolation", columns["extrapolation"])]
        moments = [Moments.of(rows, self.distribution, shape) for rows in pair] * self.in_features
        return self.operation.epsilon_perfect(moments[: self.in_features], self.epsilon)
