"""The arithmetic task: t = a op b, where a and b are sums of two overlapping windows of the inputs.

A network has to find both windows and to combine their sums. The published windows start at an offset that is drawn
once for each seed. Inputs are independent and alike, and every unit's start is so over its inputs, therefore an offset
only gives the inputs other names; here windows start at the first input.

An almost perfect network weighs every input of a window with 1 - eps and every other with eps, and combines the two
sums exactly. Its mean squared error is an expectation over a few independent sums of inputs, computed by Gauss
quadrature: exact for add, sub, mul and square, and to about 1e-6 for div, reciprocal and root of positive inputs.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.1, and "Measuring Arithmetic Extrapolation
Performance" (2019). The thresholds they used were computed from windows one input wider than those of the data. Heim,
Pevny and Smidl, "Neural Power Units" (2020), for wider windows and the reciprocal; their inputs come from
one Sobol sequence, the same for every run, where here they are independent.
"""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import ArithmeticDataModule, Asked, Split
from arith_lightning.data.distributions import in_words, intervals, uniform
from arith_lightning.data.quadrature import sum_quadrature
from arith_lightning.streams import Stream

Ranges = list[float] | list[list[float]]
Window = tuple[int, int]
ENOUGH = 20
"""Inputs of a sum that may reach 0 and yet be divided by: so many hardly ever come near."""


class WindowTask(ArithmeticDataModule):
    """t = a op b, sums of two windows `(first, last + 1)` of the inputs.

    Args:
        operation: add, sub, mul, div, reciprocal (of a), square (of a) or root (of a).
        interpolation: training range of every input, `[low, high]` or a list of intervals, each equally likely.
        extrapolation: test range, likewise.
        in_features: inputs; those outside both windows do not matter.
        windows: the two windows.
        wanted: the two windows of the almost perfect network that sets the threshold.
        epsilon: error of every weight of that network.
        shared_stream: whether every member trains on the same examples: several times faster than with examples of
            its own. Members then differ in their start alone.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: str,
        interpolation: Ranges,
        extrapolation: Ranges,
        in_features: int,
        windows: tuple[Window, Window],
        wanted: tuple[Window, Window],
        epsilon: float,
        shared_stream: bool,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(batch_size, seed)
        require(0 < epsilon < 1, "epsilon must lie in (0, 1)", epsilon, "the published value is 1e-5")
        self.operation = operations.operation(operation)
        self.in_features, self.windows, self.shared_stream = in_features, windows, shared_stream
        # tuples, not columns: members that share their batches must share their ranges
        self.ranges = {
            "interpolation": intervals("interpolation", interpolation).tolist(),
            "extrapolation": intervals("extrapolation", extrapolation).tolist(),
        }
        rows = torch.tensor(self.ranges["extrapolation"], dtype=torch.float64)
        self.limit = epsilon_perfect(self.operation, rows, in_features, wanted, epsilon)
        require(
            0 < self.limit < math.inf,
            f"an epsilon-perfect {operation} must have a finite error on the extrapolation range",
            f"{self.limit} on {extrapolation}",
            "keep 0 out of the range of div, reciprocal and root, or at its end",
        )

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return operation and ranges."""
        trained, tested = (in_words({split: torch.tensor(rows)}, split) for split, rows in self.ranges.items())
        return Asked(self.operation.name, trained, tested)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw fresh inputs from the range of the split."""
        # spelled out, because the compiler's loop takes no constant tensors
        bounds = [torch.full((), bound, device=stream.seed.device) for row in self.ranges[split] for bound in row]
        x = uniform(stream, torch.stack(bounds).view(-1, 2), (self.in_features, size))
        a, b = (x[first:last].sum(0) for first, last in self.windows)
        return x, self.operation.function(a, b).unsqueeze(0)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the epsilon-perfect mean squared error on the extrapolation range."""
        return torch.tensor(self.limit, dtype=torch.float64)


class ArithmeticTask(WindowTask):
    """Two windows of many inputs; solved below the error of a network with every weight of its first layer off by eps.

    Args:
        operation: add, sub, mul, div, reciprocal (of a), square (of a) or root (of a).
        interpolation: training range of every input, `[low, high]` or a list of intervals, each equally likely.
        extrapolation: test range, likewise.
        in_features: number of inputs.
        subset_ratio: inputs in each window as a share of all, rounded down.
        overlap_ratio: inputs in both windows as a share of one window, rounded down.
        windows: windows from which the threshold is computed: those of the data (`correct`), or those one input wider
            that are behind the published thresholds (`published`).
        epsilon: error of every weight of the network that sets the threshold.
        shared_stream: see `WindowTask`.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: str = "mul",
        interpolation: Ranges = [1.0, 2.0],
        extrapolation: Ranges = [2.0, 6.0],
        in_features: int = 100,
        subset_ratio: float = 0.25,
        overlap_ratio: float = 0.5,
        windows: Literal["correct", "published"] = "correct",
        epsilon: float = 1e-5,
        shared_stream: bool = False,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        for name, ratio in (("subset_ratio", subset_ratio), ("overlap_ratio", overlap_ratio)):
            require(0 <= ratio <= 1, f"{name} must lie in [0, 1]", ratio, "the published values are 0.25 and 0.5")
        require(
            windows in ("correct", "published"), "windows must be correct or published", repr(windows), "try correct"
        )
        # the ratios are decimal: 0.29 of 100 inputs are 29, though the nearest binary fraction lies below
        width = math.floor(subset_ratio * in_features + 1e-9)
        shift = width - math.floor(overlap_ratio * width + 1e-9)
        wider = width + (windows == "published")
        require(
            width >= 1 and shift + wider <= in_features,
            "two windows must have an input each and fit into the inputs",
            f"{wider} inputs each, the second {shift} after the first, and {in_features=}",
            "try subset_ratio 0.25 of at least 4 inputs",
        )
        both, wanted = (((0, size), (shift, shift + size)) for size in (width, wider))
        ranges = (interpolation, extrapolation)
        super().__init__(operation, *ranges, in_features, both, wanted, epsilon, shared_stream, batch_size, seed)


class FourInputTask(WindowTask):
    """t = (x_1 + x_2) op (x_1 + x_2 + x_3 + x_4), the smallest task of this kind.

    Args:
        operation: add, sub, mul, div, reciprocal, square or root; the last three are of the first sum.
        interpolation: training range of every input, `[low, high]` or a list of intervals, each equally likely.
        extrapolation: test range, likewise.
        epsilon: error of every weight of the network that sets the threshold.
        shared_stream: see `WindowTask`.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: str = "mul",
        interpolation: Ranges = [1.0, 2.0],
        extrapolation: Ranges = [2.0, 6.0],
        epsilon: float = 1e-5,
        shared_stream: bool = False,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        both = ((0, 2), (0, 4))
        super().__init__(
            operation, interpolation, extrapolation, 4, both, both, epsilon, shared_stream, batch_size, seed
        )


def epsilon_perfect(
    operation: operations.Operation, rows: Tensor, inputs: int, windows: tuple[Window, Window], epsilon: float
) -> float:
    """Return E[(op(a', b') - op(a, b))^2], where a' and b' weigh their windows with 1 - eps and the rest with eps.

    Args:
        operation: op.
        rows: intervals `(count, 2)` the inputs come from, float64.
        inputs: number of inputs.
        windows: of a and of b.
        epsilon: eps.
    """
    first, second = (set(range(*window)) for window in windows)
    few = min(len(first), len(second)) < ENOUGH
    positive, negative = (bool(ends.min() > 0 or (ends.min() == 0 and not few)) for ends in (rows, -rows))
    if (operation.name == "root" and not positive) or (
        operation.name in operations.DIVISIONS and not (positive or negative)
    ):
        return math.inf
    outside = inputs - len(first | second)
    counts = (len(first & second), len(first - second), len(second - first), outside)
    groups = [sum_quadrature(rows, count) for count in counts]
    shared, only_a, only_b, rest = torch.meshgrid(*(nodes for nodes, _ in groups), indexing="ij")
    weight = torch.stack(torch.meshgrid(*(weights for _, weights in groups), indexing="ij")).prod(0)
    a, b = shared + only_a, shared + only_b
    nearly_a, nearly_b = a + epsilon * (only_b + rest - a), b + epsilon * (only_a + rest - b)
    off = operation.function(nearly_a, nearly_b) - operation.function(a, b)
    return (weight * off.square()).sum().item()
