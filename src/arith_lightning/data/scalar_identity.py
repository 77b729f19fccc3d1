"""The identity y = x of one number, trained on [-5, 5] and tested on [-20, 20].

A network of saturating or piecewise linear units reproduces the numbers it has seen and not those outside.

Source: Trask et al., "Neural Arithmetic Logic Units" (2018), section 1.1 and figure 1.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Criterion, Split
from arith_lightning.streams import Stream

GRID = 2001
"""Tested numbers, evenly spaced, both ends and zero included."""


class ScalarIdentity(ArithmeticDataModule):
    """Uniform numbers, drawn afresh at every step; solved when no tested number is wrong by more than the tolerance.

    Args:
        train_limit: numbers are trained on up to this magnitude.
        test_limit: and tested up to this one.
        tolerance: largest absolute error at any tested number that counts as solved.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    in_features = 1
    criterion = Criterion("largest absolute error")

    def __init__(
        self,
        train_limit: float = 5.0,
        test_limit: float = 20.0,
        tolerance: float = 0.1,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        for name, value in (("train_limit", train_limit), ("test_limit", test_limit), ("tolerance", tolerance)):
            require(0 < value < float("inf"), f"{name} must be positive and finite", value, "try 1")
        self.train_limit, self.test_limit, self.tolerance = train_limit, test_limit, tolerance

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw numbers of the training range; for the extrapolation set return the whole tested range."""
        if split == "extrapolation":
            x = torch.linspace(-1, 1, GRID, dtype=stream.dtype, device=stream.seed.device) * self.test_limit
        else:
            x = stream.uniform((size,), -self.train_limit, self.train_limit)
        return x.unsqueeze(0), x.unsqueeze(0)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the largest absolute error at any number."""
        return (prediction - target).abs().max()
