"""Neural power units: z = exp(Wr log r - Wi k) cos(Wr k + Wi log r), products of real powers, signs included.

With g the gate, clipped to [0, 1], an input enters through its magnitude r = g (|x| + eps) + 1 - g and its sign
k = pi g where x < 0, else 0. A gate of 0 leaves an input out, Wr = 1 multiplies it in, Wr = -1 divides by it. The Real
NPU has Wi = 0. At a gate of one half a single negative input gives cos(pi / 2) = 0, a dead spot near the start.

Source: Heim, Pevny and Smidl, "Neural Power Units" (2020), section 3; the cases of k are those of its code, the printed
definition has them the other way round.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.reduction import dot
from arith_lightning.streams import Stream

GROWTH_STEPS = 10_000
"""Steps after which the penalty's weight is ten times as large."""
EPSILON = 2.0**-23
"""Keeps the logarithm of 0 finite: the spacing of float32 at 1, as published."""


class RealNPULayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products and quotients of any sign.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_scale: factor on the Glorot-uniform start of the weights.
        gate_start: value of every gate at the start.
    """

    powers: ClassVar[tuple[str, ...]] = ("weight_real",)
    weight_real: Tensor
    init_scale: Tensor
    gate_start: Tensor

    def __init__(self, in_features: int, out_features: int, init_scale: float = 1.0, gate_start: float = 0.5) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale, gate_start=gate_start)
        for name in self.powers:
            self.register_parameter(name, nn.Parameter(torch.empty(out_features, in_features)))
        self.gate = nn.Parameter(torch.empty(in_features))

    def glorot(self) -> float:
        """Return the bound of a Glorot-uniform start."""
        return math.sqrt(6 / (self.in_features + self.out_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight_real`; the gate starts at `gate_start`."""
        bound = self.glorot() * self.init_scale
        weight = stream.uniform((self.out_features, self.in_features), -bound, bound)
        gate = torch.ones(self.in_features, dtype=stream.dtype, device=stream.seed.device) * self.gate_start
        return {"weight_real": weight, "gate": gate.to(stream.dtype)}

    def penalty(self) -> Tensor:
        """Return the sum of the absolute values of all parameters (section 3.3)."""
        return torch.stack([parameter.abs().sum() for parameter in self.parameters()]).sum()

    def weights(self) -> dict[str, Tensor]:
        """Return the powers."""
        return {"weight": self.weight_real}

    def polar(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return log r and k of the gated inputs, like `x`."""
        gate = self.gate.clamp(0, 1)
        return torch.log(gate * (x.abs() + EPSILON) + 1 - gate), torch.where(x < 0, math.pi * gate, 0.0)

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product of powers of the gated inputs, with the sign that it gives them."""
        gate = self.gate.clamp(0, 1).tolist()
        whole = all(wording.is_(value, 0) or wording.is_(value, 1) for value in gate)
        found = []
        for row in self.weight_real.tolist():
            powers = [0.0 if wording.is_(g, 0) else w for g, w in zip(gate, row, strict=True)]
            if whole and all(wording.is_(w, round(w)) for w in powers):
                found.append(wording.powers(powers, names))
                continue
            size = [
                wording.mixed(g, f"|{name}|") if g < 1 else f"|{name}|" for g, name in zip(gate, names, strict=True)
            ]
            turns = wording.total([g * w for g, w in zip(gate, row, strict=True)], [f"[{name} < 0]" for name in names])
            found.append(f"{wording.powers(powers, size)} * cos(pi * ({turns}))")
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return the product of the gated inputs' powers."""
        magnitude, phase = self.polar(x)
        return torch.exp(dot(self.weight_real, magnitude)) * torch.cos(dot(self.weight_real, phase))


class NPULayer(RealNPULayer):
    """The complex form: powers have an imaginary part, which starts at 0."""

    powers = ("weight_real", "weight_imag")
    weight_imag: Tensor

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight_real`; the gate starts at `gate_start`, `weight_imag` at 0."""
        values = super().initial(stream)
        return values | {"weight_imag": torch.zeros_like(values["weight_real"])}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as that of a Real NPU, where the powers' imaginary parts are next to nothing."""
        return super().formula(names, x) if self.weight_imag.abs().max() <= wording.WHOLE else []

    def forward(self, x: Tensor) -> Tensor:
        """Return the real part of the product of the gated inputs' complex powers."""
        magnitude, phase = self.polar(x)
        real, imaginary = self.weight_real, self.weight_imag
        size = torch.exp(dot(real, magnitude) - dot(imaginary, phase))
        return size * torch.cos(dot(real, phase) + dot(imaginary, magnitude))


def staircase(step: Tensor, last: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return 0 before step `start`, then a factor that grows tenfold every 10,000 steps and is `last` from `end` on."""
    remaining = ((end - step) / GROWTH_STEPS).ceil().clamp(min=0)
    return torch.where(step < start, 0.0, last * 10**-remaining)


class RealNPU(ArithmeticModule):
    """One `RealNPULayer`, trained as on the single module task: Adam at 5e-3 and a penalty that grows in steps.

    The penalty's weight is zero before `penalty_start` and then grows tenfold every 10,000 steps up to `penalty_weight`
    at `penalty_end`: by default 1e-7, 1e-6 from step 10,000, 1e-5 from 20,000, as published for multiplication. For
    division the published `penalty_weight` is 1e-7.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init_scale: factor on the Glorot-uniform start of the weights.
        gate_start: value of every gate at the start.
        learning_rate: step size of the optimizer.
        penalty_weight: last factor of the penalty.
        penalty_start: step from which there is a penalty.
        penalty_end: step at which its factor has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[RealNPULayer]] = RealNPULayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init_scale: float = 1.0,
        gate_start: float = 0.5,
        learning_rate: float = 5e-3,
        penalty_weight: float = 1e-5,
        penalty_start: int = 0,
        penalty_end: int = 20_000,
        **training: Any,
    ) -> None:
        super().__init__(
            self.layer(in_features, out_features, init_scale, gate_start),
            learning_rate=learning_rate,
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )

    def penalty_schedule(self, step: Tensor) -> Tensor:
        """Return the factor of the penalties at `step`: a staircase of powers of ten."""
        return staircase(step, self.penalty_weight, self.penalty_start, self.penalty_end)


class NPU(RealNPU):
    """One `NPULayer`, trained; arguments as for `RealNPU`."""

    layer = NPULayer
