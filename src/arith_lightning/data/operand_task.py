"""The single module task with operands that differ: ranges of their own, other distributions, fixed training rows.

Source: Mistry, Farrahi and Hare, "Learning Division with Neural Arithmetic Logic Modules" (2021), for operands of
different sign and for other distributions; Schloer, Ring and Hotho, "iNALU: Improved Neural Arithmetic Logic Unit"
(2020), for fixed training rows and an absolute threshold.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import Split
from arith_lightning.data.distributions import Distribution, Moments, draw, parameters
from arith_lightning.data.single_module import SingleModuleTask, ranges
from arith_lightning.streams import Purpose, Stream


class OperandTask(SingleModuleTask):
    """Two operands (and distractors), each from ranges and a distribution that can be chosen.

    Args:
        operation: see `SingleModuleTask`.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise.
        in_features: inputs, of which the operands come first.
        epsilon: error of every weight of the solution that sets the threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
        threshold: error that counts as solved, instead of the epsilon-perfect one.
        second_interpolation: training range of the second operand and every second distractor, where it differs.
        second_extrapolation: their test range.
        distribution: what holds inside an interval; uniform, benford, truncated_normal or exponential.
        interpolation_shape: mean and standard deviation of the normal, or scale of the exponential distribution.
        extrapolation_shape: the same of the extrapolation range.
        rows: how many rows are drawn once for each seed and then gone through in order, over and over; null draws
            fresh ones at every step.
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
        threshold: float | None = None,
        second_interpolation: list[float] | list[list[float]] | None = None,
        second_extrapolation: list[float] | list[list[float]] | None = None,
        distribution: Distribution = "uniform",
        interpolation_shape: list[float] = [],
        extrapolation_shape: list[float] = [],
        rows: int | None = None,
    ) -> None:
        require(
            (second_interpolation is None) == (second_extrapolation is None),
            "a second operand with a range of its own needs both second_interpolation and second_extrapolation",
            f"{second_interpolation} and {second_extrapolation}",
            "give the other one too",
        )
        require(
            rows is None or (rows >= 1 and batch_size >= 1 and not rows % batch_size),
            "rows must be a positive multiple of batch_size",
            f"{rows} in batches of {batch_size}",
            f"try {max(1, (rows or 1) // max(1, batch_size)) * batch_size}",
        )
        self.distribution, self.rows = distribution, rows
        self._second: dict[str, Tensor] = {}
        if second_interpolation is not None and second_extrapolation is not None:
            self._second = ranges(operation, second_interpolation, second_extrapolation, "second_")
        every = torch.cat([*ranges(operation, interpolation, extrapolation).values(), *self._second.values()])
        shapes = {
            f"{split}_shape": parameters(f"{split}_shape", distribution, shape, every)
            for split, shape in (("interpolation", interpolation_shape), ("extrapolation", extrapolation_shape))
        }
        self._shapes = {name: shape for name, shape in shapes.items() if len(shape)}
        super().__init__(operation, interpolation, extrapolation, in_features, epsilon, batch_size, seed, threshold)

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges, and the shape of the distribution where it has one."""
        return super().columns() | self._second | self._shapes

    def inputs(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> Tensor:
        """Draw `(in_features, size)` operands and distractors, of fixed rows those of the step."""
        if self.rows is not None:
            step = stream.step % (self.rows // self.batch_size)
            stream = Stream(stream.seed, Purpose(stream.purpose), step, stream.dtype)
        shape = columns[f"{split}_shape"].unbind(-1) if self._shapes else ()
        if not self._second:
            return draw(self.distribution, stream, columns[split], (self.in_features, size), shape)
        pair = [columns[split], columns[f"second_{split}"]] * self.in_features
        return torch.stack([draw(self.distribution, stream, r, (size,), shape) for r in pair[: self.in_features]])

    def moments(self, columns: Mapping[str, Tensor]) -> list[Moments]:
        """Return those of a first and of a second operand on the extrapolation range."""
        shape = columns["extrapolation_shape"].unbind(-1) if self._shapes else ()
        pair = [columns["extrapolation"], columns.get("second_extrapolation", columns["extrapolation"])]
        return [Moments.of(rows, self.distribution, shape) for rows in pair]
