"""The single module task: t = x_0 op x_1 with fresh inputs at every step, tested outside the training range.

Inputs beyond the first two are distractors. The task isolates one unit: no hidden layer, no redundancy.

Source: Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022), section on the single module
task.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from arith_lightning.data import operations, published
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Split
from arith_lightning.streams import Stream

Range = Sequence[float] | Sequence[Sequence[float]]

PUBLISHED_RANGES: dict[str, tuple[Range, Range]] = {
    "U[-20,-10]": ((-20, -10), (-40, -20)),
    "U[-2,-1]": ((-2, -1), (-6, -2)),
    "U[-1.2,-1.1]": ((-1.2, -1.1), (-6.1, -1.2)),
    "U[-0.2,-0.1]": ((-0.2, -0.1), (-2, -0.2)),
    "U[-2,2]": ((-2, 2), ((-6, -2), (2, 6))),
    "U[0.1,0.2]": ((0.1, 0.2), (0.2, 2)),
    "U[1,2]": ((1, 2), (2, 6)),
    "U[1.1,1.2]": ((1.1, 1.2), (1.2, 6)),
    "U[10,20]": ((10, 20), (20, 40)),
}
"""The nine published pairs of interpolation and extrapolation ranges."""


def intervals(name: str, value: Range, count: int = 1) -> Tensor:
    """Return a range, `[low, high]` or a list of such, as a tensor of at least `count` rows, repeating a single one."""
    rows = torch.tensor(value, dtype=torch.float64)
    rows = rows.unsqueeze(0) if rows.dim() == 1 else rows
    if rows.dim() != 2 or rows.shape[-1] != 2 or not rows.numel():
        raise ValueError(f"{name} must be [low, high] or a list of such intervals; got {value}; try [1, 2]")
    if not torch.isfinite(rows).all() or (rows[:, 0] >= rows[:, 1]).any():
        raise ValueError(f"{name} must have finite low < high in every interval; got {value}; try [1, 2]")
    return rows if len(rows) >= count else rows.expand(count, 2).clone()


def uniform(stream: Stream, rows: Tensor, size: tuple[int, ...]) -> Tensor:
    """Draw numbers uniformly from intervals `(count, 2)`, each interval equally likely, one random number apiece."""
    count = len(rows)
    rows = rows.to(stream.dtype)
    if count == 1:
        return stream.uniform(size, rows[0, 0], rows[0, 1])
    scaled = stream.uniform(size) * count
    choice = scaled.floor()
    low, width = rows[:, 0], rows[:, 1] - rows[:, 0]
    x = low[0] + width[0] * scaled
    for k in range(1, count):
        x = torch.where(choice == k, low[k] + width[k] * (scaled - k), x)
    return x


class SingleModuleTask(ArithmeticDataModule):
    """Two operands (and distractors) drawn from the interpolation range; tested on the extrapolation range.

    Solved when the extrapolation error is below that of an epsilon-perfect solution.

    Args:
        operation: add, sub, mul or div.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise.
        in_features: inputs, of which the first two matter.
        epsilon: error of every weight of the solution that sets the threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
        streams: `counter`, this project's numbers, or `published`, those that the published script draws from numpy
            for the same seed; populations are then about ten times slower.
    """

    def __init__(
        self,
        operation: str = "mul",
        interpolation: list[float] | list[list[float]] = [1.0, 2.0],
        extrapolation: list[float] | list[list[float]] = [2.0, 6.0],
        in_features: int = 2,
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
        streams: Literal["counter", "published"] = "counter",
    ) -> None:
        super().__init__(batch_size, seed)
        if in_features < 2:
            raise ValueError(f"in_features must be at least 2, the two operands; got {in_features}; try 2")
        if not 0 < epsilon < 1:
            raise ValueError(f"epsilon must lie in (0, 1); got {epsilon}; the published values are 1e-5 and 1e-4")
        self.operation = operations.operation(operation)
        self.in_features, self.epsilon = in_features, epsilon
        self.interpolation = intervals("interpolation", interpolation)
        self.extrapolation = intervals("extrapolation", extrapolation, count=2)
        self.streams, self.draws_ahead = streams, streams == "published"
        self._batches: dict[int, published.Batches] = {}
        if self.draws_ahead and (in_features > 2 or max(len(self.interpolation), len(self.extrapolation)) > 2):
            raise ValueError(
                "published streams know two inputs and at most two intervals; "
                f"got {in_features=}, {interpolation=}, {extrapolation=}; set streams to counter"
            )
        threshold = self.threshold(self.columns()).item()
        if not 0 < threshold < float("inf"):
            raise ValueError(
                f"an epsilon-perfect {operation} must have a finite error on the extrapolation range; got {threshold} "
                f"on {extrapolation} with epsilon {epsilon}; keep 0 out of divisors, and epsilon below 1 / |x|"
            )

    def columns(self) -> dict[str, Tensor]:
        """Return the two ranges."""
        return {"interpolation": self.interpolation, "extrapolation": self.extrapolation}

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw fresh operands from the range of the split."""
        x = uniform(stream, columns[split], (self.in_features, size))
        return x, self._target(x)

    def draw_ahead(
        self, seeds: Tensor, columns: Mapping[str, Tensor], step: int, count: int, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Return the published script's batches, computed in float64 and rounded, as there."""
        rows = columns["interpolation"]
        shape = (rows.shape[-2], self.batch_size, self.in_features)
        own = dict.fromkeys(seeds.tolist())
        self._batches |= {seed: published.Batches(seed, *shape) for seed in own if seed not in self._batches}
        drawn = {seed: self._batches[seed].at(step, count) for seed in own}
        numbers, first = (np.stack([drawn[seed][part] for seed in seeds.tolist()], axis=1) for part in (0, 1))
        x = published.inputs(numbers, first, rows)
        return x.to(dtype).contiguous(), self._target(x).to(dtype)

    def evaluation_set(
        self, split: Split, columns: Mapping[str, Tensor] | None = None, like: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the fixed set of a split, that of the published script with published streams."""
        if not self.draws_ahead:
            return super().evaluation_set(split, columns, like)
        rows = (self.columns() if columns is None else columns)[split]
        like = torch.zeros(()) if like is None else like
        seed = published.EVALUATION_SEEDS[split] + self.evaluation_seed
        drawn = published.evaluation_units(seed, rows.shape[-2], EVALUATION_SIZE, self.in_features)
        x = published.inputs(*drawn, rows.to(like.device)).squeeze(0)
        return x.to(like), self._target(x).to(like)

    def _target(self, x: Tensor) -> Tensor:
        return self.operation.function(x[..., 0, :], x[..., 1, :]).unsqueeze(-2)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the epsilon-perfect mean squared error on the extrapolation range."""
        return self.operation.epsilon_perfect(
            operations.Moments.of(columns["extrapolation"]), self.epsilon, self.in_features
        )
