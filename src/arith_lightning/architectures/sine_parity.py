"""Parity of an integer by one weight: z = sin(w x)^2, exact at w = pi/2 and its odd multiples.

With d = w - pi/2, every integer is answered with an error of sin(d x)^2, so all of [0, X) is right if and only if
|d| < pi / (4 (X - 1)). The gradient of the squared error grows with x, and on the integers 0 to N - 1 the loss has a
spurious minimum every 2 pi / N or so. Dividing each example's share of the loss by x^2 leaves none. Where small
integers are missing from the training set, some stay; then several waves, z = sum_k p_k sin(w_k x)^2 with
p = softmax(share), start in different places and the one that fits takes over.

Source of the question: a widely asked one-weight experiment on learning x mod 2; the analysis is this project's own.
"""

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer, register
from arith_lightning.complaint import require
from arith_lightning.streams import Stream


class SineParityLayer(ArithmeticLayer):
    """Map `(..., 1)` integers to `(..., 1)` values in [0, 1], read as the probability of being odd.

    Args:
        init_low: lower end of the uniform start.
        init_high: upper end of the uniform start; equal ends start every seed at that value.
        waves: number of frequencies; one has no `share`.
        reduce_phase: whether the phase is reduced to one period before the sine is taken. The equation is the same;
            at w = pi/2 the answer is then right for every integer that the floating type holds, where rounding of
            w x spoils float32 from 6,551,826 on.
    """

    init_low: Tensor
    init_high: Tensor

    def __init__(
        self, init_low: float = 0.0, init_high: float = math.pi, waves: int = 1, reduce_phase: bool = False
    ) -> None:
        super().__init__(1, 1, init_low=init_low, init_high=init_high)
        require(init_low <= init_high, "the start must have init_low <= init_high", (init_low, init_high), "swap them")
        require(waves >= 1, "waves must be positive", waves, "try 1")
        self.waves, self.reduce_phase = waves, reduce_phase
        self.weight = nn.Parameter(torch.empty(waves, 1))
        self.share = nn.Parameter(torch.empty(waves)) if waves > 1 else None

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight`; all waves have an equal `share`."""
        start = {"weight": stream.uniform((self.waves, 1), self.init_low, self.init_high)}
        if self.share is not None:
            start["share"] = torch.zeros(self.waves, dtype=stream.dtype, device=stream.seed.device)
        return start

    def forward(self, x: Tensor) -> Tensor:
        """Return sin(w x)^2, averaged over waves by their shares."""
        weight = self.weight.squeeze(-1)
        if self.reduce_phase:
            turns = weight / math.pi * x
            phase = math.pi * (turns - turns.detach().floor())
        else:
            phase = weight * x
        wave = torch.sin(phase).square()
        return wave if self.share is None else (self.share.softmax(-1) * wave).sum(-1, keepdim=True)


class SineParity(ArithmeticModule):
    """One `SineParityLayer`, trained with example weights `max(|x|, 1) ** -damping`.

    Args:
        init_low: lower end of the uniform start.
        init_high: upper end of the uniform start.
        waves: number of frequencies.
        reduce_phase: whether the phase is reduced before the sine is taken; see `SineParityLayer`.
        damping: power of |x| that each example's error is divided by; 0 is the plain mean.
        error_measure: `squared` or `absolute` error. Near a solution the first grows with the fourth power of w's
            error and converges like 1 / sqrt(steps); the second with the square, and converges geometrically.
        training: see `ArithmeticModule`.
    """

    discrete = False
    example = {"class_path": "IntegerParity", "init_args": {"train_end": 20, "test_end": 30}}

    damping: Tensor

    def __init__(
        self,
        init_low: float = 0.0,
        init_high: float = math.pi,
        waves: int = 1,
        reduce_phase: bool = False,
        damping: float = 0.0,
        error_measure: Literal["squared", "absolute"] = "squared",
        **training: Any,
    ) -> None:
        require(math.isfinite(damping), "damping must be finite", damping, "try 2")
        super().__init__(SineParityLayer(init_low, init_high, waves, reduce_phase), **training)
        self.error_measure = error_measure
        register(self, damping=damping)

    def error(self, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the damped mean error."""
        weight = x.abs().clamp(min=1) ** (-self.damping).to(x.dtype)
        if self.error_measure == "squared":
            return (weight * (prediction - y).square()).mean()
        # |z - y| for z in [0, 1] and y in {0, 1}; its gradient stays when z is rounded to y
        return (weight * (y + (1 - 2 * y) * prediction)).mean()
