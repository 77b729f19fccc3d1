"""The single module task with an operation that may differ between members.

So it can be seen whether one setting does all of them.

Source: Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022), section on the single module
task, where each operation is a population of its own.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import Asked, Split
from arith_lightning.data.distributions import Moments
from arith_lightning.data.single_module import SingleModuleTask
from arith_lightning.streams import Stream

NAMES = ("add", "sub", "mul", "div")


class AnyOperation(SingleModuleTask):
    """Two operands from the same range; inputs, targets and thresholds are those of `SingleModuleTask`.

    Args:
        operation: add, sub, mul or div; may differ between settings.
        interpolation: training range, `[low, high]` or a list of intervals.
        extrapolation: test range, likewise, without 0.
        epsilon: error of every weight of the solution that sets the threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: Literal["add", "sub", "mul", "div"] = "add",
        interpolation: list[float] | list[list[float]] = [1.0, 2.0],
        extrapolation: list[float] | list[list[float]] = [2.0, 6.0],
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        require(operation in NAMES, f"operation must be one of {', '.join(NAMES)}", repr(operation), "try div")
        self._asked = torch.tensor([NAMES.index(operation)], dtype=torch.float64)
        super().__init__("div", interpolation, extrapolation, epsilon=epsilon, batch_size=batch_size, seed=seed)

    def columns(self) -> dict[str, Tensor]:
        """Return the ranges and the operation."""
        return super().columns() | {"operation": self._asked}

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the same, with the operation of the member."""
        return super().asked(columns)._replace(operation=NAMES[int(columns["operation"])])

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw operands from the range of the split, and answer with the operation that is asked."""
        x, _ = super().draw(stream, columns, split, size)
        first, *others = (operations.operation(name).function(*x.split(1)) for name in NAMES)
        y = first
        for k, other in enumerate(others, 1):
            y = torch.where(columns["operation"] == k, other, y)
        return x, y

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the epsilon-perfect mean squared error of the operation on the extrapolation range."""
        moments = [Moments.of(columns["extrapolation"])] * 2
        errors = [operations.operation(name).epsilon_perfect(moments, self.epsilon) for name in NAMES]
        return torch.stack(errors)[columns["operation"].long()].squeeze(0)
