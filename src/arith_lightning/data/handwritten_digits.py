"""Sequences of pictures of digits: the sum or the product of what they show, learnt on short ones, asked of long ones.

Nothing says which digit a picture shows but the answer for the whole sequence. The pictures are the 1,797 of 8 x 8
pixels that scikit-learn brings along; three fifths of each digit's are trained on, a fifth chooses the judged step, a
fifth is only tested.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.2, with pictures of 28 x 28 pixels from MNIST;
Alpaydin and Kaynak, "Optical recognition of handwritten digits" (UCI repository, 1998) for those used here.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import Criterion, Split
from arith_lightning.data.number_sequences import NumberSequences, folded, relative_error
from arith_lightning.streams import Purpose, Stream

PIXELS = 64
"""Numbers that make up a picture, each from -1 to 1."""
SHARES = {"training": (0, 1, 2), "interpolation": (3,), "extrapolation": (4,)}
"""Which pictures of a digit are whose, by their number modulo 5."""


class HandwrittenDigits(NumberSequences):
    """Sequences of pictures, each digit about equally likely; solved when long sequences come out right on average.

    Args:
        operation: sum, of the digits 0 to 9, or product, of the digits 1 to 9.
        length: pictures in a training sequence.
        test_length: pictures in a tested sequence.
        test_size: sequences in the interpolation and in the extrapolation set.
        tolerance: largest error over the tested sequences that counts as solved; misread pictures make errors of their
            own, so it is best taken from a network whose arithmetic is fixed to the solution (evaluation/reference.py).
        criterion: the error, the median relative one or, as published, the mean squared one.
        batch_size: sequences in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    def __init__(
        self,
        operation: Literal["sum", "product"] = "sum",
        length: int = 10,
        test_length: int = 50,
        test_size: int = 100,
        tolerance: float = 0.02,
        criterion: Literal["median relative error", "mean squared error"] = "median relative error",
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        from sklearn.datasets import load_digits  # takes a second, which only this dataset should cost

        super().__init__(operation, length, test_length, test_size, tolerance, batch_size, seed)
        require(
            criterion in ("median relative error", "mean squared error"),
            "criterion must be median relative error or mean squared error",
            repr(criterion),
            "try the former",
        )
        self.in_features, self.item_features = length * PIXELS, PIXELS * self.item_features
        self.criterion = Criterion(criterion, squared=criterion == "mean squared error")
        pictures, digits = (torch.as_tensor(array, dtype=torch.float32) for array in load_digits(return_X_y=True))
        # the digit is the last of a picture's numbers, so that both are looked up at once
        rows = torch.cat([pictures / 8 - 1, digits.unsqueeze(-1)], dim=-1)
        kept = range(0 if operation == "sum" else 1, 10)
        shares = [
            torch.cat([rows[digits == digit][residue::5] for digit in kept for residue in residues])
            for residues in SHARES.values()
        ]
        self._pictures = torch.cat(shares)
        self.ends = tuple(accumulate(len(share) for share in shares))

    def columns(self) -> dict[str, Tensor]:
        """Return the pictures with their digits: every member has a copy, which a compiled loop can take along."""
        return {"pictures": self._pictures}

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw `size` training sequences, or the `test_size` of an evaluation set, whatever `size`."""
        training = stream.purpose == Purpose.TRAINING and split == "interpolation"
        share = list(SHARES).index("training" if training else split)
        length = self.test_length if split == "extrapolation" else self.length
        index = stream.integers(
            (length, size if training else self.test_size), (0, *self.ends)[share], self.ends[share]
        )
        drawn = columns["pictures"][index].to(stream.dtype)
        x, digits = drawn[..., :PIXELS], drawn[..., PIXELS]
        return x.movedim(-1, 1).flatten(0, 1), folded(self.operation, digits)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error of the sequences."""
        if self.criterion.squared:
            return (prediction.double() - target.double()).square().mean()
        return relative_error(prediction, target).median()
