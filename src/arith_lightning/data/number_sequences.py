"""Sequences of digits: the sum or the product of all, learnt on short sequences and asked of long ones.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.2, whose sequences are of images: sums
are trained on 10 of 0 to 9 and tested up to 1,000, products trained on 2 of 1 to 9 and tested up to 20.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.streams import Stream


def folded(operation: str, digits: Tensor) -> Tensor:
    """Return the sum or the product over the first axis, which is kept; products by halving, for exact small ones."""
    if operation == "sum":
        return digits.sum(0, keepdim=True)
    while len(digits) > 1:
        half = len(digits) // 2
        digits = torch.cat([digits[:half] * digits[half : 2 * half], digits[2 * half :]])
    return digits


def relative_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the errors, relative to the target where that is larger than 1."""
    return (prediction - target).abs() / target.abs().clamp(min=1)


class NumberSequences(ArithmeticDataModule):
    """Sequences of digits, each equally likely; solved when long sequences come out right on average.

    Args:
        operation: sum, of the digits 0 to 9, or product, of the digits 1 to 9.
        length: numbers in a training sequence.
        test_length: numbers in a tested sequence.
        test_size: number of tested sequences; small, because a test takes `test_length` steps one after the other.
        tolerance: largest mean relative error over the tested sequences that counts as solved.
        batch_size: sequences in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    criterion = Criterion("mean relative error")

    def __init__(
        self,
        operation: Literal["sum", "product"] = "sum",
        length: int = 10,
        test_length: int = 1000,
        test_size: int = 200,
        tolerance: float = 1e-3,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        require(operation in ("sum", "product"), "operation must be sum or product", repr(operation), "try sum")
        for name, value in (("length", length), ("test_length", test_length), ("test_size", test_size)):
            require(value >= 1, f"{name} must be positive", value, "try 10 and 1000, 200 sequences")
        require(0 < tolerance < float("inf"), "tolerance must be positive and finite", tolerance, "try 1e-3")
        self.operation, self.in_features, self.length = operation, length, length
        self.test_length, self.test_size, self.tolerance = test_length, test_size, tolerance
        self.item_features = 1 if test_length != length else 0

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the operation."""
        return Asked(self.operation)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw `size` sequences; of the extrapolation split, `test_size` long ones, whatever `size`."""
        length, size = (self.test_length, self.test_size) if split == "extrapolation" else (self.length, size)
        x = stream.integers((length, size), 0 if self.operation == "sum" else 1, 10).to(stream.dtype)
        return x, folded(self.operation, x)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean relative error over the sequences."""
        return relative_error(prediction, target).mean()
