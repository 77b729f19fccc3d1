"""Parity of an integer given as a number: y = x mod 2.

Source of the question: a widely asked experiment that fits sin(w x)^2 to x mod 2 by gradient descent.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Criterion, Split
from arith_lightning.streams import Purpose, Stream

EXACT = {torch.float32: 2**24, torch.float64: 2**53}
"""End of the integers from zero on that a floating type holds without a gap."""


class IntegerParity(ArithmeticDataModule):
    """Trained on integers of [0, train_end), solved when every tested integer of [0, test_end) is classified right.

    Args:
        train_end: end (exclusive) of the training range.
        test_end: end (exclusive) of the tested range. All of it is tested up to 10,000; beyond that its first and
            last 5,000 integers, where a wrong frequency shows most. Above 2^24 train with `trainer.precision` 64-true.
        draws: None trains on all integers of the range in every step; a number on that many uniform draws from it,
            drawn once for each seed.
        doubling_steps: 0 trains on the whole range from the first step on; a number starts with {0, 1} and doubles
            the range every so many steps.
        seed: seed of the draws when one model is trained alone.
    """

    in_features = 1
    consecutive = True
    criterion = Criterion("share of wrong integers", share=True)

    def __init__(
        self,
        train_end: int = 1000,
        test_end: int = 1000,
        draws: int | None = None,
        doubling_steps: int = 0,
        seed: int = 0,
    ) -> None:
        for name, end, limit in (("train_end", train_end, 2**24), ("test_end", test_end, 2**53)):
            require(2 <= end <= limit, f"{name} must lie in [2, 2^{limit.bit_length() - 1}]", end, "try 1000")
        require(draws is None or draws >= 1, "draws must be positive or null", draws, "try 1000")
        require(
            doubling_steps >= 0 and (not doubling_steps or not draws),
            "doubling_steps must not be negative, and goes with all integers of the range only",
            f"{doubling_steps} with {draws=}",
            "try doubling_steps 0",
        )
        super().__init__(train_end if draws is None else draws, seed)
        self.train_end, self.test_end, self.draws, self.doubling_steps = train_end, test_end, draws, doubling_steps
        self.fixed = draws is None and not doubling_steps

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Return the integers of the split and their parity, whatever `size`."""
        if self.test_end > EXACT[stream.dtype]:
            raise ValueError(
                f"test_end must not exceed the integers that {stream.dtype} holds, {EXACT[stream.dtype]}; "
                f"got {self.test_end}; set trainer.precision 64-true"
            )
        x = self.tested(stream.seed.device) if split == "extrapolation" else self.trained(stream)
        return x.unsqueeze(0).to(stream.dtype), (x % 2).unsqueeze(0).to(stream.dtype)

    def trained(self, stream: Stream) -> Tensor:
        """Return the training integers of a seed and step; the whole range for the interpolation set."""
        whole = torch.arange(self.train_end, device=stream.seed.device)
        if stream.purpose != Purpose.TRAINING:
            return whole
        if self.draws is not None:
            # 0 * step rather than 0: the compiler maps steps only over what depends on them
            own = Stream(stream.seed, Purpose.TRAINING, 0 * stream.step, stream.dtype)
            return own.integers((self.draws,), 0, self.train_end)
        if self.doubling_steps:
            doublings = (stream.step // self.doubling_steps).clamp(max=self.train_end.bit_length()).long()
            return whole % (torch.ones_like(doublings) << (1 + doublings))
        return whole

    def tested(self, device: torch.device) -> Tensor:
        """Return the tested integers."""
        if self.test_end <= EVALUATION_SIZE:
            return torch.arange(self.test_end, device=device)
        half = torch.arange(EVALUATION_SIZE // 2, device=device)
        return torch.cat([half, half + (self.test_end - len(half))])

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return half of one integer's share: none may be wrong."""
        return torch.tensor(0.5 / min(self.test_end, EVALUATION_SIZE), dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of integers whose prediction lies on the wrong side of one half; NaN is wrong."""
        return wrong(prediction, target).mean()


def wrong(prediction: Tensor, target: Tensor) -> Tensor:
    """Return 1 where a 0/1 target is answered from the wrong side of one half or by no number, else 0."""
    right = ((prediction > 0.5) == (target > 0.5)).logical_and(prediction.isfinite())
    return 1 - right.to(prediction.dtype)
