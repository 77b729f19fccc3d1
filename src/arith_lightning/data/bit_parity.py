"""Parity of bits: y = 1 if an odd number of the relevant bits is set, else 0; bits come as -1 and +1.

Every proper subset of the relevant bits says nothing about the answer, so for a random target the gradient of any
network that does not know the subset is smaller than its sampling noise by a factor exponential in their number.

Sources: Shalev-Shwartz, Shamir, Shammah, "Failures of gradient-based deep learning" (2017), section 2; Barak et al.,
"Hidden progress in deep learning: SGD learns parities near the computational limit" (2022) for sparse parity.
"""

from collections.abc import Mapping
from typing import get_args

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Criterion, JudgedStep, Split
from arith_lightning.data.integer_parity import wrong
from arith_lightning.streams import Purpose, Stream


class BitParity(ArithmeticDataModule):
    """Rows of `bits` random bits; solved when no tested row is classified wrong.

    Args:
        bits: number of inputs.
        relevant: number of bits the answer depends on, the first ones; None for all. Which ones they are makes no
            difference to a network whose start treats its inputs alike.
        held_out: None draws fresh rows in every step and tests on 10,000 others; a number trains on all 2^bits rows
            but that many, full batch, and tests on those; 0 tests on the rows that are trained.
        bit_steps: 0 trains on all bits from the first step on; a number starts with one bit and adds the next one
            every so many steps, the others being 0 until then.
        rows: None draws fresh rows; a number draws so many once, the same for every seed, of which a step takes
            `batch_size` with replacement. The test is on 10,000 random rows, of many bits hardly ever the same.
        judged_step: the step a run is judged at: that of the `lowest` error on the interpolation set (with fixed rows
            those that are trained), the `last`, or the `first_success`; the latter two see who generalises late.
        batch_size: rows of a step where they are drawn.
        seed: seed of the training batches when one model is trained alone.
    """

    criterion = Criterion("share of wrong rows", share=True)

    def __init__(
        self,
        bits: int = 8,
        relevant: int | None = None,
        held_out: int | None = None,
        bit_steps: int = 0,
        rows: int | None = None,
        judged_step: JudgedStep = "lowest",
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        require(bits >= 1, "bits must be positive", bits, "try 8")
        require(
            relevant is None or 1 <= relevant <= bits,
            "relevant must lie in [1, bits]",
            f"{relevant} of {bits} bits",
            "null takes all",
        )
        require(
            held_out is None or (bits <= 16 and 0 <= held_out < 2**bits),
            "held_out must leave a row to train on, of 16 bits at most",
            f"{held_out} of 2^{bits} rows",
            "null draws fresh rows",
        )
        require(
            bit_steps >= 0 and (not bit_steps or held_out is None),
            "bit_steps must not be negative, and goes with fresh rows only",
            bit_steps,
            "try 0",
        )
        require(
            rows is None or (1 <= rows <= EVALUATION_SIZE and held_out is None and not bit_steps),
            f"rows must lie in [1, {EVALUATION_SIZE}], without held_out or bit_steps",
            rows,
            "null draws fresh rows",
        )
        steps = get_args(JudgedStep)
        require(judged_step in steps, f"judged_step must be one of {', '.join(steps)}", judged_step, "try lowest")
        super().__init__(batch_size if held_out is None else 2**bits - held_out, seed)
        self.bits, self.held_out, self.bit_steps = bits, held_out, bit_steps
        self.relevant = bits if relevant is None else relevant
        self.judged_step = judged_step
        self.trained = None if rows is None else Stream(0, Purpose.TRAINING, -1).integers((bits, rows), 0, 2)
        self.in_features, self.fixed = bits, held_out is not None

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw rows, or return all of the split, whatever `size`."""
        index = torch.arange(self.bits, device=stream.seed.device).unsqueeze(-1)
        if self.trained is not None and split == "interpolation":
            bit = self.trained.to(stream.seed.device)
            if stream.purpose == Purpose.TRAINING:
                bit = bit[:, stream.integers((size,), 0, bit.shape[1])]
            x = (2 * bit - 1).to(stream.dtype)
        elif self.held_out is None:
            x = 1 - 2 * (stream.uniform((self.bits, size)) < 0.5).to(stream.dtype)
        else:
            x = (2 * (self.rows(split, stream.seed.device) >> index & 1) - 1).to(stream.dtype)
        if self.bit_steps and stream.purpose == Purpose.TRAINING:
            x = torch.where(index <= stream.step // self.bit_steps, x, 0)
        return x, ((x[: self.relevant] > 0).sum(0, keepdim=True) % 2).to(x.dtype)

    def rows(self, split: Split, device: torch.device) -> Tensor:
        """Return the rows of a split where all are listed, each as the integer whose bits it holds."""
        assert self.held_out is not None
        shuffled = Stream(0, Purpose.EXTRAPOLATION, dtype=torch.float64).uniform((2**self.bits,)).argsort().to(device)
        return shuffled[: self.held_out] if split == "extrapolation" and self.held_out else shuffled[self.held_out :]

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return half of one row's share: none may be wrong."""
        tested = EVALUATION_SIZE if self.held_out is None else self.held_out or 2**self.bits
        return torch.tensor(0.5 / tested, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of rows whose prediction lies on the wrong side of one half; NaN is wrong."""
        return wrong(prediction, target).mean()
