"""Multiplicative accumulators: z = exp(W log(|x| + eps)), products of powers of magnitudes.

The weight decides what can be expressed: that of a NAC, tanh(W_hat) * sigmoid(M_hat), multiplies, divides and takes
roots; sigmoid(W_hat) multiplies alone; so does a linear W, projected into [0, 1] and penalised as that of a neural
multiplication unit. The logarithm loses every sign, and for |x| near 0 a negative weight explodes.

Source: Trask et al., "Neural Arithmetic Logic Units" (2018), section 3; the other two weights: Madsen and Johansen,
"Neural Arithmetic Units" (2020), section 4.1 and appendix.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.nac import NAC, NACLayer
from arith_lightning.architectures.nmu import NMU, NMULayer
from arith_lightning.architectures.reduction import dot
from arith_lightning.streams import Stream

EPSILON = 1e-7
"""Added to |x| before the logarithm."""


def powers(weight: Tensor, x: Tensor) -> Tensor:
    """Return exp(W log(|x| + eps)): weight `(out, in)`, x `(..., in)` -> `(..., out)`."""
    return torch.exp(dot(weight, torch.log(x.abs() + EPSILON)))


class MultiplicativeNACLayer(NACLayer):
    """Map `(..., in_features)` to `(..., out_features)`; nearly exact for products and quotients of positive inputs.

    Arguments as for `NACLayer`.
    """

    signless = True

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product of powers of magnitudes."""
        return [wording.powers(row, wording.magnitudes(names)) for row in self.weights()["weight"].tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of the inputs' powers."""
        return powers(self.weights()["weight"], x)


class SigmoidNACLayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; nearly exact for products of positive inputs.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_scale: factor on the Glorot-normal start N(0, 2 / (in + out)).
    """

    init_scale: Tensor

    def __init__(self, in_features: int, out_features: int, init_scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale)
        self.w_hat = nn.Parameter(torch.empty(out_features, in_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `w_hat`."""
        std = self.init_scale * math.sqrt(2 / (self.in_features + self.out_features))
        return {"w_hat": stream.normal((self.out_features, self.in_features), std=std).to(stream.dtype)}

    def weights(self) -> dict[str, Tensor]:
        """Return W."""
        return {"weight": torch.sigmoid(self.w_hat)}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product of powers of magnitudes."""
        return [wording.powers(row, wording.magnitudes(names)) for row in self.weights()["weight"].tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of the inputs' powers."""
        return powers(self.weights()["weight"], x)


class LinearNACLayer(NMULayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products of positive inputs.

    Initialization, bounds and penalty are those of a neural multiplication unit.
    """

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product of powers of magnitudes."""
        return [wording.powers(row, wording.magnitudes(names)) for row in self.weights()["weight"].tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of the inputs' powers."""
        return powers(self.weight, x)


class MultiplicativeNAC(NAC):
    """One `MultiplicativeNACLayer`, trained; arguments as for `NAC`."""

    layer = MultiplicativeNACLayer


class SigmoidNAC(ArithmeticModule):
    """One `SigmoidNACLayer`, trained as published: Adam at 1e-3, no penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init_scale: factor on the Glorot-normal start.
        training: see `ArithmeticModule`.
    """

    def __init__(self, in_features: int = 2, out_features: int = 1, init_scale: float = 1.0, **training: Any) -> None:
        super().__init__(SigmoidNACLayer(in_features, out_features, init_scale), **training)


class LinearNAC(NMU):
    """One `LinearNACLayer`, trained; arguments as for `NMU`."""

    layer = LinearNACLayer
