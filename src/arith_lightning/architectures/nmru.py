"""Neural multiplicative reciprocal unit: an NMU of the magnitudes of x and 1 / x, times a sign.

With v = (x, 1 / x), z = prod_j (W_j |v_j| + 1 - W_j) * cos(pi sum_j W_j [v_j < 0]), W projected into [0, 1]: a weight
of 1 on x_i multiplies, one on 1 / x_i divides. In training mode the reciprocal is 1 / (x + eps).

Source: Mistry, Farrahi and Hare, "Learning Division with Neural Arithmetic Logic Modules" (2021), section on the
NMRU; settings are those of its code.
"""

import math
from typing import Any

import torch
from torch import Tensor

from arith_lightning.architectures.nmu import NMU, NMULayer
from arith_lightning.architectures.reduction import dot, product, selected

EPSILON = 2.0**-23
"""Keeps the reciprocal of 0 finite in training: the spacing of float32 at 1, as published."""


class NMRULayer(NMULayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products and quotients of any sign.

    Start, bounds and penalty are those of a neural multiplication unit of twice as many inputs; `weight` is
    `(out_features, 2 in_features)`, for the inputs, then for their reciprocals.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_center: middle of the uniform start.
        init_scale: half the width of the uniform start; center 0.5 and 0.25 are the published U(0.25, 0.75).
    """

    def __init__(self, in_features: int, out_features: int, init_center: float = 0.5, init_scale: float = 0.25) -> None:
        super().__init__(2 * in_features, out_features, init_center, init_scale)
        self.in_features = in_features

    def weights(self) -> dict[str, Tensor]:
        """Return W of the inputs and of their reciprocals."""
        multiply, divide = self.weight.chunk(2, dim=-1)
        return {"weight": multiply, "weight_reciprocal": divide}

    def forward(self, x: Tensor) -> Tensor:
        """Return the signed product over the selected inputs and reciprocals."""
        reciprocal = 1 / (x + EPSILON if self.training else x)
        parts = list(zip(self.weight.chunk(2, dim=-1), (x, reciprocal), strict=True))
        multiplied, divided = (product(selected, w, v.abs()) for w, v in parts)
        turned, back = (dot(w, torch.where(v < 0, math.pi, 0.0).to(v.dtype)) for w, v in parts)
        return multiplied * divided * torch.cos(turned + back)


class NMRU(NMU):
    """One `NMRULayer`, trained as published.

    Args:
        learning_rate: step size of the optimizer.
        gradient_clip_norm: largest Euclidean norm of the gradient.
        training: see `NMU`.
    """

    layer = NMRULayer

    def __init__(self, learning_rate: float = 1e-2, gradient_clip_norm: float | None = 1.0, **training: Any) -> None:
        super().__init__(learning_rate=learning_rate, gradient_clip_norm=gradient_clip_norm, **training)
