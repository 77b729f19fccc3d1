"""Neural accumulator: z = W x with W = tanh(W_hat) * sigmoid(M_hat).

The product of the two saturating functions biases every weight towards -1, 0 or 1, so the unit adds and subtracts
without bounds on its inputs. It cannot multiply or divide.

Source: Trask et al., "Neural Arithmetic Logic Units" (2018), section 3; initial range: Madsen and Johansen, "Neural
Arithmetic Units" (2020), appendix on the NAC's moments.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.reduction import dot
from arith_lightning.streams import Stream

Init = Literal["published", "uniform", "truncated_normal"]


def published_range(in_features: int, out_features: int) -> float:
    """Return r such that W_hat, M_hat ~ U(-r, r) give weights of Glorot variance, 2 / (in + out) (at least 5 features).

    The variance of tanh(U(-r, r)) * sigmoid(U(-r, r)) grows with r; its root is found by bisection. For two inputs the
    answer is 9.47: such units start almost fully saturated.
    """
    target = 2 / max(in_features + out_features, 5)
    low, high = 1e-9, 20.0
    for _ in range(100):
        r = (low + high) / 2
        variance = (1 - math.tanh(r) / r) * (r - math.tanh(r / 2)) / (2 * r)
        low, high = (r, high) if variance < target else (low, r)
    return r


def initial_weight(layer: ArithmeticLayer, stream: Stream, kind: Init, scale: Tensor) -> Tensor:
    """Draw one `(out, in)` parameter: published range times `scale`, U(-scale, scale), or truncated N(0, scale^2)."""
    size = (layer.out_features, layer.in_features)
    if kind == "truncated_normal":
        return stream.truncated_normal(size, scale)
    if kind == "published":
        scale = scale * published_range(layer.in_features, layer.out_features)
    return stream.uniform(size, -scale, scale)


def accumulator_weight(w_hat: Tensor, m_hat: Tensor) -> Tensor:
    """Return tanh(W_hat) * sigmoid(M_hat), elementwise.

    The hyperbolic tangent is written as sigmoid(2 x) - sigmoid(-2 x). A vectorized tanh may round to 1 somewhat before
    torch's does, and its gradient vanishes with it: compiled weights then stop one rounding error short of 1. The
    second sigmoid keeps a gradient, so that weights end at exactly 1 however they are computed.
    """
    return (torch.sigmoid(2 * w_hat) - torch.sigmoid(-2 * w_hat)) * torch.sigmoid(m_hat)


class NACLayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for sums and differences of subsets.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init: `published` (U(-r, r), r by the variance rule), `uniform` (U(-1, 1)) or `truncated_normal` (N(0, 1)).
        init_scale: factor on that start.
    """

    init_scale: Tensor

    def __init__(self, in_features: int, out_features: int, init: Init = "published", init_scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale)
        self.init = init
        self.w_hat = nn.Parameter(torch.empty(out_features, in_features))
        self.m_hat = nn.Parameter(torch.empty(out_features, in_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `w_hat` and `m_hat`."""
        return {name: initial_weight(self, stream, self.init, self.init_scale) for name in ("w_hat", "m_hat")}

    def weights(self) -> dict[str, Tensor]:
        """Return W."""
        return {"weight": accumulator_weight(self.w_hat, self.m_hat)}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a sum."""
        return [wording.total(row, names) for row in self.weights()["weight"].tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted sum of the inputs."""
        return dot(self.weights()["weight"], x)


class NAC(ArithmeticModule):
    """One `NACLayer`, trained; as published with Adam at 1e-3 and no penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init: start of `w_hat` and `m_hat`; see `NACLayer`.
        init_scale: factor on that start.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[NACLayer]] = NACLayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init: Init = "published",
        init_scale: float = 1.0,
        **training: Any,
    ) -> None:
        super().__init__(self.layer(in_features, out_features, init, init_scale), **training)
