"""Neural arithmetic logic unit: z = g * a + (1 - g) * m, an additive path a, a multiplicative path m and a gate g.

a = W x, m = exp(W log(|x| + eps)), g = sigmoid(G x), with the W of a NAC shared by both paths. The logarithm loses the
sign of its inputs, and only the path that the gate selects receives a gradient.

Source: Trask et al., "Neural Arithmetic Logic Units" (2018), section 3.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticLayer, ArithmeticModule
from arith_lightning.architectures.nac import Start, accumulator_weight, start
from arith_lightning.architectures.reduction import dot
from arith_lightning.streams import Stream

EPSILON = 1e-7
"""Added to |x| before the logarithm."""


class NALULayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; nearly exact for sums, differences and products of positives.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init: start of `w_hat` and `m_hat` (see `NACLayer`); the gate starts Glorot-uniform with `published` and from
            the same distribution as the weights otherwise.
        init_scale: factor on the start of the weights.
        gate_scale: factor on the start of the gate.
    """

    init_scale: Tensor
    gate_scale: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        init: Start = "published",
        init_scale: float = 1.0,
        gate_scale: float = 1.0,
    ) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale, gate_scale=gate_scale)
        self.init = init
        self.w_hat = nn.Parameter(torch.empty(out_features, in_features))
        self.m_hat = nn.Parameter(torch.empty(out_features, in_features))
        self.gate = nn.Parameter(torch.empty(out_features, in_features))
        self.reset_parameters()

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `w_hat`, `m_hat` and `gate`."""
        values = {name: start(self, stream, self.init, self.init_scale) for name in ("w_hat", "m_hat")}
        gate_scale = self.gate_scale
        if self.init == "published":
            gate_scale = gate_scale * math.sqrt(6 / (self.in_features + self.out_features))
        kind: Start = "truncated_normal" if self.init == "truncated_normal" else "uniform"
        return values | {"gate": start(self, stream, kind, gate_scale)}

    def weights(self) -> dict[str, Tensor]:
        """Return the shared W."""
        return {"weight": accumulator_weight(self.w_hat, self.m_hat)}

    def gates(self, x: Tensor) -> Tensor:
        """Return the gates `(..., out_features)`."""
        return torch.sigmoid(dot(self.gate, x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated mixture of sum and product."""
        weight = self.weights()["weight"]
        gate = self.gates(x)
        return gate * dot(weight, x) + (1 - gate) * torch.exp(dot(weight, torch.log(x.abs() + EPSILON)))


class NALU(ArithmeticModule):
    """One `NALULayer`, trained.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init: start of the weights; see `NALULayer`.
        init_scale: factor on the start of the weights.
        gate_scale: factor on the start of the gate.
        training: see `ArithmeticModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init: Start = "published",
        init_scale: float = 1.0,
        gate_scale: float = 1.0,
        **training: Any,
    ) -> None:
        super().__init__(NALULayer(in_features, out_features, init, init_scale, gate_scale), **training)
