"""Binary multiplication: the bits of two unsigned integers in, the bits of their product out.

Two operands of n bits, most significant bit first, give 2n bits, most significant first. Every pair of operands has a
fixed key in [0, 1), the same for its mirror image (x2, x1); the keys decide which pairs are trained on and which are
held out, so no member is ever asked a pair it has seen in either order.

Source of the question: a widely asked experiment that trains a deep network on products of two 8-bit numbers and finds
that it never learns.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Criterion, Split
from arith_lightning.data.integer_parity import wrong
from arith_lightning.streams import Purpose, Stream

CODINGS = {"zero_one": (0.0, 1.0), "centered": (-0.5, 0.5), "signs": (-1.0, 1.0)}
"""Values of the input bits 0 and 1."""
LISTED_BITS = 10
"""Operands up to so many bits are listed pair by pair."""
RANDOM_PAIRS = 1000
"""Pairs in the extrapolation set where the operands have too many bits to list."""


def bits_of(numbers: Tensor, bits: int) -> Tensor:
    """Return the lowest `bits` bits of integers `(..., size)` as integers `(..., bits, size)`, highest bit first."""
    places = torch.arange(bits - 1, -1, -1, device=numbers.device).unsqueeze(-1)
    return numbers.unsqueeze(-2) >> places & 1


def product_bits(a: Tensor, b: Tensor) -> Tensor:
    """Multiply bits `(n, size)` by bits `(n, size)` exactly into `(2n, size)`, for any n: long multiplication."""
    n = len(a)
    columns = nn.functional.pad(a[0] * b, (0, 0, 1, n - 1))
    for i in range(1, n):
        columns = columns + nn.functional.pad(a[i] * b, (0, 0, i + 1, n - i - 1))
    carry, digits = torch.zeros_like(a[0]), []
    for column in reversed(columns.unbind()):
        total = column + carry
        carry = torch.div(total, 2, rounding_mode="floor")
        digits.append(total - 2 * carry)
    return torch.stack(digits[::-1])


def split_pairs(end: int, train_share: float, held_out: str) -> tuple[Tensor, Tensor]:
    """Return the training pairs and the held-out pairs of one split, `(2, count)` each; share 1 holds nothing out."""
    pairs = torch.cartesian_prod(torch.arange(end), torch.arange(end)).mT
    keys = Stream(0, Purpose.TRAINING).uniform((end, end))[pairs.amin(0), pairs.amax(0)]
    if train_share == 1:
        return pairs, pairs
    middle = (1 + train_share) / 2
    low, high = (train_share, middle) if held_out == "selection" else (middle, 1.0)
    return pairs[:, keys < train_share], pairs[:, (low <= keys) & (keys < high)]


class BinaryMultiplication(ArithmeticDataModule):
    """Pairs of n-bit numbers and the 2n bits of their products; solved when (almost) every held-out pair is exact.

    The interpolation set is drawn from the training pairs. The extrapolation set is all held-out pairs of one split;
    or, with `train_share` 1 or other `test_bits`, all pairs there are, or 1,000 random ones above 10 bits.

    Args:
        bits: bits of an operand in training.
        end: end (exclusive) of the operands; null is 2^bits.
        coding: input values of the bits 0 and 1: `zero_one`, `centered` (-0.5, 0.5) or `signs` (-1, 1). Targets are
            0 and 1.
        second_operand_visible: whether the network sees x2. If not, x2 is padded with zeros to 2n bits and only the
            first n of these are shown, a slip of the posted experiment: all of them are 0.
        train_share: share of the pairs that is trained on; 1 holds nothing out.
        held_out: half of the other pairs to test on: `selection` for choosing settings, `test` for reporting.
        test_bits: bits of an operand in the extrapolation set; null is `bits`.
        tolerance: largest share of wrong products that counts as solved.
        batch_size: pairs in a training batch, drawn afresh at every step; null is all training pairs in every step.
        seed: seed of the training batches when one model is trained alone.
    """

    criterion = Criterion("share of wrong products", share=True)

    def __init__(
        self,
        bits: int = 8,
        end: int | None = None,
        coding: Literal["zero_one", "centered", "signs"] = "centered",
        second_operand_visible: bool = True,
        train_share: float = 0.8,
        held_out: Literal["selection", "test"] = "test",
        test_bits: int | None = None,
        tolerance: float = 0.01,
        batch_size: int | None = 256,
        seed: int = 0,
    ) -> None:
        require(1 <= bits <= LISTED_BITS, f"bits must lie in [1, {LISTED_BITS}]", bits, "try 8")
        require(
            test_bits is None or test_bits >= 1,
            "test_bits must be positive",
            test_bits,
            "try 8, or null for as many as in training",
        )
        end = 2**bits if end is None else end
        require(2 <= end <= 2**bits, f"end must lie in [2, 2^bits = {2**bits}]", end, "null takes all numbers")
        require(0 < train_share <= 1, "train_share must lie in (0, 1]", train_share, "try 0.8")
        require(0 <= tolerance < 1, "tolerance must lie in [0, 1)", tolerance, "try 0.01")
        self.training_pairs, self.tested_pairs = split_pairs(end, train_share, held_out)
        require(
            self.training_pairs.numel() > 0 and self.tested_pairs.numel() > 0,
            "there must be pairs to train and to test on",
            f"{train_share=} of {end}^2 pairs",
            "try 0.8 of 256^2",
        )
        super().__init__(self.training_pairs.shape[1] if batch_size is None else batch_size, seed)
        self.bits, self.test_bits = bits, bits if test_bits is None else test_bits
        self.in_features = self.out_features = 2 * bits
        self.fixed = batch_size is None
        self.coding, self.second_operand_visible, self.tolerance = coding, second_operand_visible, tolerance
        if self.test_bits != bits and self.test_bits <= LISTED_BITS:
            numbers = torch.arange(2**self.test_bits)
            self.tested_pairs = torch.cartesian_prod(numbers, numbers).mT
        self.tested = RANDOM_PAIRS if self.test_bits > LISTED_BITS else self.tested_pairs.shape[1]

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw pairs of the split; all of them, whatever `size`, for the extrapolation set and for fixed training."""
        device = stream.seed.device
        if split == "interpolation":
            pairs = self.training_pairs.to(device)
            if not self.fixed:
                pairs = pairs[:, stream.integers((size,), 0, pairs.shape[1])]
            operands = bits_of(pairs, self.bits)
        elif self.test_bits > LISTED_BITS:
            operands = stream.integers((2, self.test_bits, RANDOM_PAIRS), 0, 2)
        else:
            operands = bits_of(self.tested_pairs.to(device), self.test_bits)
        first, second = operands.to(stream.dtype)
        shown = second if self.second_operand_visible else torch.zeros_like(second)
        low, high = CODINGS[self.coding]
        return torch.stack([first, shown]).flatten(0, 1) * (high - low) + low, product_bits(first, second)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the tolerance plus half of one pair's share, below which at most that share is wrong."""
        return torch.tensor(self.tolerance + 0.5 / self.tested, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of pairs of which any bit is on the wrong side of one half; NaN is wrong."""
        return wrong(prediction, target).amax(0).mean()


def bit_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Return for each bit the share of pairs `(..., bits, size)` that have it right, `(..., bits)`; NaN is wrong."""
    return 1 - wrong(prediction, target).mean(-1)
