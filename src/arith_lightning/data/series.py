"""Integer series: y = x1 op x2 on two evenly spaced columns of integers, trained full batch, tested on other rows.

Training rows: x1 = 0, 5, ..., 9995 and x2 = 5, 10, ..., 10000, so x2 = x1 + 5 in all 2,000 rows. Test rows:
x1 = 1000, 1008, ..., 1992 and x2 = 1000, 1004, ..., 1496: other pairs, inside the training range. What is called their
extrapolation error is the error on these rows.

Source: the widely copied blog experiments that show a NAC adding and a NALU multiplying.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import operations
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.streams import Stream

ROWS = {
    "interpolation": ((0, 10_000, 5), (5, 10_005, 5)),
    "extrapolation": ((1000, 2000, 8), (1000, 1500, 4)),
}
"""First value, end (exclusive) and stride of x1 and x2."""
STRIDE = 1201
"""Row i of a decorrelated series takes its x2 from row 1201 i modulo 2,000: every value once, in mixed order."""


class IntegerSeries(ArithmeticDataModule):
    """The series, all rows in every step; solved when every test row is right to a relative tolerance.

    Args:
        operation: add, sub, mul or div; division is of x1 by x2.
        tolerance: largest relative error of any test row that counts as solved.
        decorrelated: whether x2 is taken in mixed order in training, so that the two columns are no longer collinear.
    """

    in_features = 2
    fixed = True
    criterion = Criterion("largest relative error")

    def __init__(self, operation: str = "mul", tolerance: float = 1e-3, decorrelated: bool = False) -> None:
        super().__init__(batch_size=len(range(*ROWS["interpolation"][0])))
        require(tolerance > 0, "tolerance must be positive", tolerance, "try 1e-3")
        self.decorrelated = decorrelated
        self.operation, self.tolerance = operations.operation(operation), tolerance

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the operation."""
        return Asked(self.operation.name)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Return all rows of the split, whatever `size`."""
        device = stream.seed.device
        x1, x2 = (torch.arange(*row, dtype=stream.dtype, device=device) for row in ROWS[split])
        if self.decorrelated and split == "interpolation":
            x2 = x2[torch.arange(len(x2), device=device) * STRIDE % len(x2)]
        x = torch.stack([x1, x2])
        return x, self.operation.function(x[0], x[1]).unsqueeze(0)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the largest error of any row, relative to its target where that is larger than 1."""
        return ((prediction - target).abs() / target.abs().clamp(min=1)).max()
