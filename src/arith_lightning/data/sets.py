"""Sets of numbers: the sum or the product of all, learnt on small sets and asked of large ones.

A set is padded to a fixed number of places; features are the places' numbers, then a mask of ones where there is a
number. Architectures take any number of places.

Source of the question: Zaheer et al., "Deep Sets" (2017), section 4.1.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.data.distributions import intervals, uniform
from arith_lightning.streams import Stream

TESTED = 1000
"""Sets in the interpolation and the extrapolation set."""


class NumberSets(ArithmeticDataModule):
    """Sets of 1 to `max_size` numbers, every size equally often.

    Solved when sets of `test_size` come out right on average.

    Args:
        operation: sum or product.
        numbers: range of the numbers, `[low, high]`, positive for a product.
        max_size: largest size of a training set.
        test_size: size of every tested set.
        tolerance: largest mean relative error over the tested sets that counts as solved.
        batch_size: sets in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    criterion = Criterion("mean relative error")

    def __init__(
        self,
        operation: Literal["sum", "product"] = "sum",
        numbers: list[float] = [0.5, 2.0],
        max_size: int = 5,
        test_size: int = 50,
        tolerance: float = 1e-3,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        self.numbers = intervals("numbers", numbers)
        require(
            self.numbers.min().item() > 0,
            "numbers must be positive, or relative errors mean nothing",
            numbers,
            "try [0.5, 2]",
        )
        for name, size in (("max_size", max_size), ("test_size", test_size)):
            require(size >= 1, f"{name} must be positive", size, "try 5")
        require(tolerance > 0, "tolerance must be positive", tolerance, "try 1e-3")
        require(operation in ("sum", "product"), "operation must be sum or product", repr(operation), "try sum")
        self.operation, self.max_size, self.test_size, self.tolerance = operation, max_size, test_size, tolerance
        self.in_features, self.item_features = 2 * max_size, 2 if test_size != max_size else 0

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the operation."""
        return Asked(self.operation)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw sets `(2 places, size)`: numbers, 0 where there is none, and the mask."""
        if split == "extrapolation":
            places, size = self.test_size, TESTED
            mask = torch.ones(places, size, dtype=torch.bool, device=stream.seed.device)
        else:
            places = self.max_size
            counts = stream.integers((size,), 1, places + 1)
            mask = torch.arange(places, device=stream.seed.device).unsqueeze(-1) < counts
        x = uniform(stream, self.numbers.to(stream.seed.device), (places, size))
        whole = torch.where(mask, x, 1.0).log().sum(0).exp() if self.operation == "product" else (x * mask).sum(0)
        return torch.stack([x * mask, mask.to(x.dtype)]).flatten(0, 1), whole.unsqueeze(0)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean relative error over the sets."""
        return ((prediction - target).abs() / target.abs()).mean()
