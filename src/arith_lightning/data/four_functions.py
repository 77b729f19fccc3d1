"""Four functions of two numbers at once: (x, y) -> (x + y, x y, x / y, sqrt x), trained on positive numbers.

Tested on a grid of both signs, x and y from -4.1 to 3.9 in steps of 0.2. The root is the real part of the complex one,
0 for negative x; it is judged where x is positive.

Source: Heim, Pevny and Smidl, "Neural Power Units" (2020), section 4.1, where the mean absolute error of each function
over the grid is reported: 0.08, 0.07, 0.09 and 0.004 by a Real NPU.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.data.distributions import in_words, intervals
from arith_lightning.streams import Stream

JUDGED = ("add", "mul", "div", "root")
"""Names of the four functions, in the order of the outputs."""
GRID = (-4.1, 0.2, 41)
"""First value, step and number of values of each input of the extrapolation set."""


def functions(x: Tensor, y: Tensor) -> Tensor:
    """Return sum, product, quotient and root along a new first axis."""
    return torch.stack([x + y, x * y, x / y, x.clamp(min=0).sqrt()])


class FourFunctions(ArithmeticDataModule):
    """Four outputs of two inputs; solved when the worst of the four, or a chosen one, is right on average.

    Args:
        interpolation: training range of both numbers, `[low, high]`, positive.
        tolerance: largest mean absolute error over the grid that counts as solved.
        operation: the function by which a run is judged, add, mul, div or root; null judges by the worst of the four.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    in_features = 2
    out_features = 4
    criterion = Criterion("worst mean absolute error")

    def __init__(
        self,
        interpolation: list[float] = [0.1, 2.0],
        tolerance: float = 0.1,
        operation: str | None = None,
        batch_size: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        self._interpolation = intervals("interpolation", interpolation)
        require(
            len(self._interpolation) == 1 and self._interpolation.min().item() > 0,
            "interpolation must be one interval of positive numbers, for the root",
            interpolation,
            "try [0.1, 2.0]",
        )
        require(0 < tolerance < float("inf"), "tolerance must be positive and finite", tolerance, "try 0.1")
        require(
            operation is None or operation in JUDGED,
            f"operation must be one of {', '.join(JUDGED)}, or null",
            repr(operation),
            "try null, the worst of all",
        )
        self.tolerance = tolerance
        self.operation = None if operation is None else operations.operation(operation)
        if self.operation is not None:
            self.criterion = Criterion(f"mean absolute error of {operation}")

    def columns(self) -> dict[str, Tensor]:
        """Return the training range."""
        return {"interpolation": self._interpolation}

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the function that is judged, if one is, and the training range."""
        return Asked(self.operation and self.operation.name, in_words(columns, "interpolation"))

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw pairs from the training range; of the extrapolation split, return the grid, whatever `size`."""
        if split == "extrapolation":
            first, step, count = GRID
            index = torch.arange(count, device=stream.seed.device, dtype=torch.float64)
            axis = (first + step * index).to(stream.dtype)
            x = torch.stack([axis.repeat_interleave(count), axis.repeat(count)])
        else:
            low, high = columns["interpolation"][0].to(stream.dtype)
            x = stream.uniform((2, size), low, high)
        return x, functions(x[0], x[1])

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the largest or the chosen one of four mean absolute errors, that of the root where it is positive."""
        error = (prediction - target).abs()
        positive = (target[3] > 0).to(error.dtype)
        root = torch.where(target[3] > 0, error[3], 0.0).sum() / positive.sum()
        errors = torch.stack([*error[:3].mean(-1), root])
        return errors.max() if self.operation is None else errors[JUDGED.index(self.operation.name)]
