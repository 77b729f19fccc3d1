"""The single module task with an operation that is a number: 0 for add, 1 for sub, 2 for mul, 3 for div.

So members of one population can be asked different operations, and it can be seen whether one setting does all of them.

Source: Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022), section on the single module
task, where each operation is a population of its own.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import Split
from arith_lightning.data.distributions import Moments
from arith_lightning.data.single_module import SingleModuleTask
from arith_lightning.streams import Stream

ADD, SUB, MUL, DIV = range(4)
NAMES = ("add", "sub", "mul", "div")


class AnyOperation(SingleModuleTask):
    """Two operands from the same range; inputs, targets and thresholds are those of `SingleModuleTask`.

    Args:
        operation: 0 add, 1 sub, 2 mul, 3 div; may differ between settings.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise, without 0.
        epsilon: error of every weight of the solution that sets the threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: int = ADD,
        interpolation: list[float] | list[list[float]] = [1.0, 2.0],
        extrapolation: list[float] | list[list[float]] = [2.0, 6.0],
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        require(
            operation in range(len(NAMES)),
            "operation must be 0, 1, 2 or 3, for add, sub, mul or div",
            operation,
            "try 3",
        )
        self._asked = torch.tensor([operation], dtype=torch.float64)
        super().__init__("div", interpolation, extrapolation, epsilon=epsilon, batch_size=batch_size, seed=seed)

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges and the operation."""
        return super().columns() | {"operation": self._asked}

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw operands from the range of the split, and answer with the operation that is asked."""
        x, quotient = super().draw(stream, columns, split, size)
        a, b = x.split(1)
        asked = columns["operation"]
        linear = torch.where(asked == ADD, a + b, a - b)
        return x, torch.where(asked == DIV, quotient, torch.where(asked == MUL, a * b, linear))

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the epsilon-perfect mean squared error of the operation on the extrapolation range."""
        moments = [Moments.of(columns["extrapolation"])] * 2
        errors = [operations.operation(name).epsilon_perfect(moments, self.epsilon) for name in NAMES]
        return torch.stack(errors)[columns["operation"].long()].squeeze(0)
