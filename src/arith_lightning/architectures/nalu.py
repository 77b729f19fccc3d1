"""Neural arithmetic logic unit: z = g * a + (1 - g) * m, an additive path a, a multiplicative path m and a gate g.

a = W x, m = exp(W log(|x| + eps)), g = sigmoid(G x), with the W of a NAC shared by both paths, or one each. The
logarithm loses the sign of its inputs, and only the path that the gate selects receives a gradient.

Source: Trask et al., "Neural Arithmetic Logic Units" (2018), section 3; separate weights: Madsen and Johansen, "Neural
Arithmetic Units" (2020), appendix on the gate.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.multiplicative_nac import powers
from arith_lightning.architectures.nac import Init, accumulator_weight, initial_weight
from arith_lightning.architectures.reduction import dot
from arith_lightning.streams import Stream


class NALULayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; nearly exact for sums, differences and products of positives.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init: start of `w_hat` and `m_hat` (see `NACLayer`); the gate starts Glorot-uniform with `published` and from
            the same distribution as the weights otherwise.
        init_scale: factor on the start of the weights.
        gate_scale: factor on the start of the gate.
        separate: whether the multiplicative path has weights of its own, `w_hat_mul` and `m_hat_mul`.
    """

    signless = True
    slope: ClassVar[float] = 1.0
    """Factor inside tanh and sigmoid."""
    init_scale: Tensor
    gate_scale: Tensor
    w_hat: Tensor
    m_hat: Tensor
    gate: Tensor
    w_hat_mul: Tensor
    m_hat_mul: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        init: Init = "published",
        init_scale: float = 1.0,
        gate_scale: float = 1.0,
        separate: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale, gate_scale=gate_scale)
        self.init, self.separate = init, separate
        for name in ("w_hat", "m_hat", "gate", *(("w_hat_mul", "m_hat_mul") if separate else ())):
            self.register_parameter(name, nn.Parameter(torch.empty(out_features, in_features)))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw every parameter."""
        values = {name: initial_weight(self, stream, self.init, self.init_scale) for name in ("w_hat", "m_hat")}
        gate_scale = self.gate_scale
        if self.init == "published":
            gate_scale = gate_scale * math.sqrt(6 / (self.in_features + self.out_features))
        kind: Init = "truncated_normal" if self.init == "truncated_normal" else "uniform"
        values["gate"] = initial_weight(self, stream, kind, gate_scale)
        for name in ("w_hat_mul", "m_hat_mul") if self.separate else ():
            values[name] = initial_weight(self, stream, self.init, self.init_scale)
        return values

    def weights(self) -> dict[str, Tensor]:
        """Return W, and that of the multiplicative path where it is another."""
        values = {"weight": accumulator_weight(self.slope * self.w_hat, self.slope * self.m_hat)}
        if self.separate:
            values["weight_mul"] = accumulator_weight(self.slope * self.w_hat_mul, self.slope * self.m_hat_mul)
        return values

    def gates(self, x: Tensor) -> Tensor:
        """Return the gates `(..., out_features)`."""
        return torch.sigmoid(self.slope * dot(self.gate, x))

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a sum, a product of powers of magnitudes, or a mixture by its gate."""
        weights = self.weights()
        add, mul = weights["weight"], weights.get("weight_mul", weights["weight"])
        gate = torch.zeros(0, self.out_features) if x is None else self.gates(x)
        rows = zip(add.tolist(), mul.tolist(), (self.slope * self.gate).tolist(), strict=True)
        return [
            wording.gated(
                gate,
                k,
                f"sigmoid({wording.total(gating, names)})",
                wording.total(adding, names),
                wording.powers(multiplying, wording.magnitudes(names)),
            )
            for k, (adding, multiplying, gating) in enumerate(rows)
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated mixture of sum and product."""
        weights = self.weights()
        add, mul = weights["weight"], weights.get("weight_mul", weights["weight"])
        gate = self.gates(x)
        return gate * dot(add, x) + (1 - gate) * powers(mul, x)


class NALU(ArithmeticModule):
    """One `NALULayer`, trained; as published with Adam at 1e-3 and no penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init: start of the weights; see `NALULayer`.
        init_scale: factor on the start of the weights.
        gate_scale: factor on the start of the gate.
        separate: whether the multiplicative path has weights of its own.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[NALULayer]] = NALULayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init: Init = "published",
        init_scale: float = 1.0,
        gate_scale: float = 1.0,
        separate: bool = False,
        **training: Any,
    ) -> None:
        super().__init__(
            self.layer(in_features, out_features, init, init_scale, gate_scale, separate),
            **training,
        )
