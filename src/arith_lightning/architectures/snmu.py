"""Stochastic NMU: trained on z = prod_i (W_i n_i x_i + 1 - W_i) / prod_i (W_i n_i + 1 - W_i) with random factors n_i.

The noise widens what a weight sees of its input and cancels where every weight is 0 or 1, so it moves the wrong minima
of a neural multiplication unit and leaves the solution. Without noise, as evaluated, it is the neural multiplication
unit. Noise that follows the batch, n ~ U(1, 1 + 1 / sd(x)), is `noise_high = 1 + sqrt(12) / (b - a)` for x ~ U(a, b).

Source: Mistry, Farrahi and Hare, "Improving the Robustness of Neural Multiplication Units with Reversible
Stochasticity" (2022).
"""

from typing import Any

import torch
from torch import Tensor

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import register
from arith_lightning.architectures.nmu import NMULayer
from arith_lightning.architectures.reduction import product, selected
from arith_lightning.complaint import require
from arith_lightning.streams import threefry


class sNMULayer(NMULayer):  # noqa: N801
    """Map `(..., in_features)` to `(..., out_features)`; noisy in training mode only.

    A factor is a hash of its input's bits: fresh for fresh examples, always the same for a given one, and no state.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_center: middle of the uniform start.
        init_scale: half the width of the uniform start.
        noise_low: lower end of the uniform noise.
        noise_high: upper end of the uniform noise.
    """

    noise_low: Tensor
    noise_high: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        init_center: float = 0.5,
        init_scale: float = 0.25,
        noise_low: float = 1.0,
        noise_high: float = 5.0,
    ) -> None:
        require(
            0 < noise_low < noise_high < float("inf"),
            "noise must be positive and finite, noise_low < noise_high",
            (noise_low, noise_high),
            "try 1 and 5",
        )
        super().__init__(in_features, out_features, init_center, init_scale)
        register(self, noise_low=noise_low, noise_high=noise_high)

    formula = NMULayer.formula  # as evaluated

    def noise(self, x: Tensor) -> Tensor:
        """Return independent factors from U[noise_low, noise_high), like `x`, a pure function of it."""
        bits = x.detach().double().view(torch.int64)
        feature = torch.arange(self.in_features, dtype=torch.int32, device=x.device)
        word, _ = threefry(((bits >> 32).int(), bits.int()), (feature, torch.zeros_like(feature)))
        unit = ((word >> 8) & 0xFFFFFF).to(x.dtype) * 2.0**-24
        return (self.noise_low + (self.noise_high - self.noise_low) * unit).to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the product over the selected inputs, in training mode multiplied and divided by noise."""
        if not self.training:
            return super().forward(x)
        noise = self.noise(x)
        return super().forward(noise * x) / product(selected, self.weight, noise)


class sNMU(ArithmeticModule):  # noqa: N801
    """One `sNMULayer`, trained as published for the single module task.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init_center: middle of the uniform start.
        init_scale: half the width of the uniform start.
        noise_low: lower end of the uniform noise.
        noise_high: upper end of the uniform noise.
        penalty_weight: factor of the penalty once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init_center: float = 0.5,
        init_scale: float = 0.25,
        noise_low: float = 1.0,
        noise_high: float = 5.0,
        penalty_weight: float = 10.0,
        penalty_start: int = 20_000,
        penalty_end: int = 35_000,
        **training: Any,
    ) -> None:
        super().__init__(
            sNMULayer(in_features, out_features, init_center, init_scale, noise_low, noise_high),
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )
