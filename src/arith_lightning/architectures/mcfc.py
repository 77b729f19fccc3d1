"""Mass-conserving fully connected unit: z = sigmoid(w + b) * (softmax(R) x), every input shared out among the outputs.

R is normalized over the outputs, so no mass is created; the gate lets a share of it through. With one output the
shares are 1 and a sum is exact where the gate is: in float32 from w + b = 16.7 on. The penalty is negative and drives
all parameters outwards. The multiplicative form, exp(alpha + MCFC(log x)), takes positive inputs; two signed forms put
in |x| and multiply by the sign of an iNALU, prod_i (P_i sign(x_i) + 1 - P_i) with P = softmax(R), or by that of a Real
NPU, cos(pi sum_i P_i g_i [x_i < 0]) with a gate g of their own.

Source: Hoedt et al., "MC-LSTM: Mass-Conserving LSTM" (2021), section on arithmetic tasks; the signed forms and settings
are those of the code of Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022).
"""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.mlp import orthonormal
from arith_lightning.architectures.reduction import dot, product, selected
from arith_lightning.streams import Stream


class MCFCLayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for sums of disjoint subsets.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
    """

    redistribution: Tensor
    gate_weight: Tensor
    gate_bias: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        for name, size in self.sizes().items():
            self.register_parameter(name, nn.Parameter(torch.empty(size)))

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name."""
        out, fan_in = self.out_features, self.in_features
        return {"redistribution": (out, fan_in), "gate_weight": (out,), "gate_bias": (out,)}

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw orthonormal `redistribution` (the identity if square) and `gate_weight`; everything else starts at 0."""
        out, fan_in = self.out_features, self.in_features
        device = stream.seed.device
        zeros = {name: torch.zeros(size, dtype=stream.dtype, device=device) for name, size in self.sizes().items()}
        square = torch.eye(out, dtype=stream.dtype, device=device) if out == fan_in else None
        return zeros | {
            "redistribution": orthonormal(stream, (out, fan_in)) if square is None else square,
            "gate_weight": orthonormal(stream, (out, 1)).squeeze(-1),
        }

    def penalty(self) -> Tensor:
        """Return minus the sum of the mean squares of R, w and b."""
        squares = [p.square().mean() for p in (self.redistribution, self.gate_weight, self.gate_bias)]
        return -torch.stack(squares).sum()

    def shares(self) -> Tensor:
        """Return the share of every input that goes to every output, `(out_features, in_features)`."""
        return torch.softmax(self.redistribution, dim=0)

    def weights(self) -> dict[str, Tensor]:
        """Return what of every input arrives at every output."""
        return {"weight": torch.sigmoid(self.gate_weight + self.gate_bias).unsqueeze(-1) * self.shares()}

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated sums of the inputs' shares."""
        return torch.sigmoid(self.gate_weight + self.gate_bias) * dot(self.shares(), x)


class MulMCFCLayer(MCFCLayer):
    """The multiplicative form, for positive inputs; NaN for negative ones."""

    log_factor: Tensor

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name."""
        return super().sizes() | {"log_factor": (self.out_features,)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of powers."""
        return torch.exp(super().forward(torch.log(x)) + self.log_factor)


class MulMCFCSignINALULayer(MulMCFCLayer):
    """The multiplicative form with the sign of an iNALU."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the signed product of powers."""
        sign = product(selected, self.shares(), x.sign())
        return super().forward(x.abs()) * sign


class MulMCFCSignRealNPULayer(MulMCFCLayer):
    """The multiplicative form with the sign of a Real NPU; its gate starts at one half."""

    gate: Tensor

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name."""
        return super().sizes() | {"gate": (self.in_features,)}

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw as the other forms do; the gate starts at one half."""
        values = super().initial(stream)
        return values | {"gate": values["gate"] + 0.5}

    def penalty(self) -> Tensor:
        """Return the other forms' penalty plus a tenth of the gate's mean distance from 0 or 1, as published."""
        return super().penalty() + 0.1 * torch.minimum(self.gate.abs(), (1 - self.gate).abs()).mean()

    def forward(self, x: Tensor) -> Tensor:
        """Return the signed product of powers."""
        phase = torch.where(x < 0, math.pi * self.gate.clamp(0, 1), 0.0)
        return super().forward(x.abs()) * torch.cos(dot(self.shares(), phase))


class MCFC(ArithmeticModule):
    """One `MCFCLayer`, trained as published.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        penalty_weight: factor of the penalty once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[MCFCLayer]] = MCFCLayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        penalty_weight: float = 10.0,
        penalty_start: int = 20_000,
        penalty_end: int = 35_000,
        **training: Any,
    ) -> None:
        super().__init__(
            self.layer(in_features, out_features),
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )


class MulMCFC(MCFC):
    """One `MulMCFCLayer`, trained; arguments as for `MCFC`."""

    layer = MulMCFCLayer


class MulMCFCSignINALU(MCFC):
    """One `MulMCFCSignINALULayer`, trained; arguments as for `MCFC`."""

    layer = MulMCFCSignINALULayer


class MulMCFCSignRealNPU(MCFC):
    """One `MulMCFCSignRealNPULayer`, trained; arguments as for `MCFC`."""

    layer = MulMCFCSignRealNPULayer
