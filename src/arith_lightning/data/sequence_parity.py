"""Parity of a sequence: y = 1 if an odd number of its bits is set, trained on short sequences, tested on long ones.

Source: Deletang et al., "Neural networks and the Chomsky hierarchy" (2023), the task parity check: a network that has
found the rule, not a table of answers, is right at lengths it never saw.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Criterion, Split
from arith_lightning.data.integer_parity import wrong
from arith_lightning.streams import Stream


class SequenceParity(ArithmeticDataModule):
    """Sequences of bits -1 and +1, padded by 0 behind their end; solved when no long sequence is answered wrong.

    Args:
        max_length: training sequences have each length from 1 to this equally often.
        test_length: length of every tested sequence.
        test_size: number of tested sequences; small, because a test takes `test_length` steps one after the other.
        batch_size: sequences in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    criterion = Criterion("share of wrong sequences", share=True)

    def __init__(
        self, max_length: int = 10, test_length: int = 500, test_size: int = 200, batch_size: int = 128, seed: int = 0
    ) -> None:
        for name, value in (("max_length", max_length), ("test_length", test_length), ("test_size", test_size)):
            require(value >= 1, f"{name} must be positive", value, "try 10 and 500, 200 sequences")
        super().__init__(batch_size, seed)
        self.in_features, self.test_length, self.test_size = max_length, test_length, test_size
        self.item_features = 1 if test_length != max_length else 0

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw `size` padded sequences; of the extrapolation split, `test_size` long ones, whatever `size`."""
        length, size = (self.test_length, self.test_size) if split == "extrapolation" else (self.in_features, size)
        x = 1 - 2 * (stream.uniform((length, size)) < 0.5).to(stream.dtype)
        if split == "interpolation":
            end = stream.integers((1, size), 1, length + 1)
            index = torch.arange(length, device=stream.seed.device).unsqueeze(-1)
            x = torch.where(index < end, x, 0)
        return x, ((x > 0).sum(0, keepdim=True) % 2).to(x.dtype)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return half of one sequence's share: none may be wrong."""
        return torch.tensor(0.5 / self.test_size, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of sequences whose prediction lies on the wrong side of one half; NaN is wrong."""
        return wrong(prediction, target).mean()
