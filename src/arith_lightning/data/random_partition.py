"""Sums over a random partition: t = a op b, where each of many inputs belongs to a, to b or to neither.

Source: Schloer, Ring and Hotho, "iNALU: Improved Neural Arithmetic Logic Unit" (2020), the task of 100 inputs: an input
goes to a with probability 1/2, to b and to neither with 1/4 each; 64,000 rows are drawn once and gone through in order;
solved below an absolute error of 1e-5.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import ArithmeticDataModule, Asked, Split
from arith_lightning.data.distributions import Distribution, Range, draw, in_words, intervals, parameters
from arith_lightning.streams import Purpose, Stream


class RandomPartition(ArithmeticDataModule):
    """Two sums of inputs, combined; the partition is the same for all members of a population.

    Args:
        operation: add, sub, mul or div.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise.
        in_features: inputs, each of a, b or neither.
        partition_seed: seed of the partition.
        distribution: what holds inside an interval; see `OperandTask`.
        interpolation_shape: mean and standard deviation of the normal, or scale of the exponential distribution.
        extrapolation_shape: the same of the extrapolation range.
        rows: how many rows are drawn once for each seed and then gone through in order, over and over.
        tolerance: error that counts as solved.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: str = "add",
        interpolation: list[float] | list[list[float]] = [-3.0, 3.0],
        extrapolation: list[float] | list[list[float]] = [-5.0, -3.0],
        in_features: int = 100,
        partition_seed: int = 0,
        distribution: Distribution = "uniform",
        interpolation_shape: list[float] = [],
        extrapolation_shape: list[float] = [],
        rows: int = 64_000,
        tolerance: float = 1e-5,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        require(
            operation in ("add", "sub", "mul", "div"),
            "operation must be add, sub, mul or div",
            repr(operation),
            "try add",
        )
        require(in_features >= 2, "in_features must be at least 2, one for each sum", in_features, "try 100")
        require(
            rows >= 1 and not rows % batch_size,
            "rows must be a positive multiple of batch_size",
            f"{rows} in batches of {batch_size}",
            f"try {max(1, rows // batch_size) * batch_size}",
        )
        require(0 < tolerance < float("inf"), "tolerance must be positive and finite", tolerance, "try 1e-5")
        self.operation, self.in_features, self.rows = operations.operation(operation), in_features, rows
        self.distribution, self.tolerance = distribution, tolerance
        ranges: dict[str, Range] = {"interpolation": interpolation, "extrapolation": extrapolation}
        shapes = {"interpolation": interpolation_shape, "extrapolation": extrapolation_shape}
        self._columns = {}
        for split, value in ranges.items():
            self._columns[split] = intervals(split, value)
            shape = parameters(f"{split}_shape", distribution, shapes[split], self._columns[split])
            if len(shape):
                self._columns[f"{split}_shape"] = shape
        share = Stream(partition_seed, Purpose.TRAINING).uniform((in_features,))
        members = torch.stack([share < 0.5, share >= 0.75])
        require(
            bool(members.any(-1).all()),
            "both sums need an input",
            f"{members.sum(-1).tolist()} of {in_features} with {partition_seed=}",
            "try another seed",
        )
        self._columns["members"] = members.double()

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges, the shape of the distribution where it has one, and which inputs each sum is over."""
        return self._columns

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return operation and ranges."""
        return Asked(
            self.operation.name,
            in_words(columns, "interpolation", self.distribution),
            in_words(columns, "extrapolation", self.distribution),
        )

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw the rows of a step from the range of the split."""
        step = stream.step % (self.rows // self.batch_size)
        stream = Stream(stream.seed, Purpose(stream.purpose), step, stream.dtype)
        shape = columns[f"{split}_shape"].unbind(-1) if f"{split}_shape" in columns else ()
        x = draw(self.distribution, stream, columns[split], (self.in_features, size), shape)
        # in float64, so that targets are exact to the last digit of float32
        sums = columns["members"] @ x.double()
        return x, self.operation.function(sums[0], sums[1]).unsqueeze(0).to(stream.dtype)
