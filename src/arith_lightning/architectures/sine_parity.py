"""Parity of an integer by one weight: z = sin(w x)^2, exact at w = pi/2 and its odd multiples.

The gradient of the squared error grows with x, and on the integers 0 to N - 1 the loss has a spurious minimum every
2 pi / N or so. Dividing each example's share of the gradient by a power of x removes them.

Source of the question: a widely asked one-weight experiment on learning x mod 2; the analysis is this project's own.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticLayer, ArithmeticModule
from arith_lightning.streams import Stream


class SineParityLayer(ArithmeticLayer):
    """Map `(..., 1)` integers to `(..., 1)` values in [0, 1], read as the probability of being odd.

    Args:
        init_low: lower end of the uniform start.
        init_high: upper end of the uniform start; equal ends start every seed at that value.
    """

    init_low: Tensor
    init_high: Tensor

    def __init__(self, init_low: float = 0.0, init_high: float = math.pi) -> None:
        super().__init__(1, 1, init_low=init_low, init_high=init_high)
        self.weight = nn.Parameter(torch.empty(1, 1))
        self.reset_parameters()

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight`."""
        return {"weight": stream.uniform((1, 1), self.init_low, self.init_high)}

    def forward(self, x: Tensor) -> Tensor:
        """Return sin(w x)^2."""
        return torch.sin(self.weight.squeeze(-1) * x).square()


class SineParity(ArithmeticModule):
    """One `SineParityLayer`, trained on squared error with example weights `max(|x|, 1) ** -damping`.

    Args:
        init_low: lower end of the uniform start.
        init_high: upper end of the uniform start.
        damping: power of |x| that each example's squared error is divided by; 0 is the plain mean squared error.
        training: see `ArithmeticModule`.
    """

    damping: Tensor

    def __init__(
        self, init_low: float = 0.0, init_high: float = math.pi, damping: float = 0.0, **training: Any
    ) -> None:
        super().__init__(SineParityLayer(init_low, init_high), **training)
        self.register_buffer("damping", torch.tensor(damping, dtype=torch.float64))

    def error(self, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the damped mean squared error."""
        weight = x.abs().clamp(min=1) ** (-self.damping).to(x.dtype)
        return (weight * (prediction - y).square()).mean()
