"""Neural reciprocal unit: z = prod_i (sign(x_i) |x_i|^W_i T_i + 1 - T_i), W projected into [-1, 1].

T = |W| selects an input, and W = 1 multiplies it in, W = -1 divides by it. In training mode T = tanh(1000 W)^2, which
is 1 but for the smallest weights, so that the power alone is learnt.

Source: Mistry, Farrahi and Hare, "Learning Division with Neural Arithmetic Logic Modules" (2021), section on the
NRU; training mode and settings are those of its code.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from arith_lightning.architectures import wording
from arith_lightning.architectures.nau import NAU, NAULayer
from arith_lightning.architectures.reduction import product

STEEPNESS = 1000.0
"""Slope of the selection in training mode."""


class NRULayer(NAULayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products and quotients of any sign.

    Start, bounds and penalty are those of a neural addition unit.
    """

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product and quotient."""
        return [wording.selection(row, names, self.factor) for row in self.weight.tolist()]

    @staticmethod
    def factor(weight: float, name: str) -> str:
        """Return the factor of a weight that is not whole, in evaluation mode."""
        share = abs(weight)
        return f"({share:.4g} sign({name}) * |{name}|^{weight:.4g} + {1 - share:.4g})"

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of the selected inputs and reciprocals."""

        def factor(w: Tensor, x: Tensor) -> Tensor:
            selected = torch.tanh(STEEPNESS * w).square() if self.training else w.abs()
            return x.sign() * x.abs() ** w * selected + (1 - selected)

        return product(factor, self.weight, x)


class NRU(NAU):
    """One `NRULayer`, trained as published for two inputs (for ten: learning rate 1e-3).

    Args:
        learning_rate: step size of the optimizer.
        penalty_weight: factor of the penalty once the ramp has ended.
        training: see `NAU`.
    """

    layer = NRULayer

    def __init__(self, learning_rate: float = 1.0, penalty_weight: float = 10.0, **training: Any) -> None:
        super().__init__(learning_rate=learning_rate, penalty_weight=penalty_weight, **training)
