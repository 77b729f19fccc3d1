"""Interpolation over a badly scaled input: three outputs, piecewise linear in one integer of 255 to 200,000.

Knots: 255 -> (0, 0, 1); 40,000 -> (0.2, 0.5, 0.3); 200,000 -> (1, 0, 0). The outputs are shares that sum to one.

Source of the question: a widely asked experiment in which a network with ten hidden units learns this curve at no
learning rate.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Criterion, Split
from arith_lightning.streams import Stream

KNOTS = (255, 40_000, 200_000)
VALUES = ((0.0, 0.0, 1.0), (0.2, 0.5, 0.3), (1.0, 0.0, 0.0))
"""The three outputs at each knot."""


def curve(x: Tensor) -> Tensor:
    """Map inputs `(size,)` from the first to the last knot to the outputs `(3, size)`."""
    first, second = (((x - low) / (high - low)).clamp(0, 1) for low, high in pairwise(KNOTS))
    # numbers, not a tensor of them, which a compiled loop does not take
    outputs = zip(*VALUES, strict=True)
    return torch.stack([start + (knot - start) * first + (end - knot) * second for start, knot, end in outputs])


class ScaledInterpolation(ArithmeticDataModule):
    """Uniform integers, drawn afresh at every step; solved when no output is wrong by more than the tolerance anywhere.

    Both evaluation sets span the training range: 10,000 drawn integers to choose the judged step by, and 10,000 evenly
    spaced numbers and the knots to judge by.

    Args:
        scaling: `none` shows the network the integers; `unit` maps the range linearly to [-1, 1].
        tolerance: largest absolute error of any output at any tested number that counts as solved.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.
    """

    in_features = 1
    out_features = 3
    criterion = Criterion("largest absolute error")

    def __init__(
        self,
        scaling: Literal["none", "unit"] = "unit",
        tolerance: float = 0.02,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        require(scaling in ("none", "unit"), "scaling must be none or unit", repr(scaling), "try unit")
        require(0 < tolerance < 1, "tolerance must lie in (0, 1)", tolerance, "try 0.02")
        self.scaling, self.tolerance = scaling, tolerance

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw integers of the range; for the extrapolation set return the dense grid, whatever `size`."""
        first, last = KNOTS[0], KNOTS[-1]
        if split == "extrapolation":
            knots = torch.tensor(KNOTS, dtype=stream.dtype, device=stream.seed.device)
            x = torch.cat([torch.linspace(first, last, EVALUATION_SIZE).to(knots), knots])
        else:
            x = stream.integers((size,), first, last + 1).to(stream.dtype)
        shown = 2 * (x - first) / (last - first) - 1 if self.scaling == "unit" else x
        return shown.unsqueeze(0), curve(x)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the largest absolute error of any output at any number."""
        return (prediction - target).abs().max()
