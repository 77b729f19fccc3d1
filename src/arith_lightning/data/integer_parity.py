"""Parity of an integer given as a number: y = x mod 2, trained on all integers of a range in every step.

Source of the question: a widely asked experiment that fits sin(w x)^2 to x mod 2 by gradient descent.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.data.base import ArithmeticDataModule, Split
from arith_lightning.streams import Stream


class IntegerParity(ArithmeticDataModule):
    """All integers of [0, train_end) in every step; solved when every integer of [0, test_end) is classified right.

    Args:
        train_end: end (exclusive) of the training range.
        test_end: end (exclusive) of the tested range.
    """

    in_features = 1
    fixed = True
    criterion = "share of wrong integers"

    def __init__(self, train_end: int = 1000, test_end: int = 1000) -> None:
        super().__init__(batch_size=train_end)
        for name, end in (("train_end", train_end), ("test_end", test_end)):
            if not 2 <= end <= 2**24:
                raise ValueError(
                    f"{name} must lie in [2, 2^24], where float32 holds every integer; got {end}; try 1000"
                )
        self.ends = {"interpolation": train_end, "extrapolation": test_end}

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Return all integers of the split and their parity, whatever `size`."""
        x = torch.arange(self.ends[split], device=stream.seed.device).unsqueeze(0)
        return x.to(stream.dtype), (x % 2).to(stream.dtype)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return half of one integer's share: none may be wrong."""
        return torch.tensor(0.5 / self.ends["extrapolation"], dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of integers whose prediction lies on the wrong side of one half; NaN is wrong."""
        return 1 - ((prediction > 0.5) == (target > 0.5)).logical_and(prediction.isfinite()).to(prediction.dtype).mean()
