"""Improved NALU: z = g * a + (1 - g) * m * s, two paths with weights of their own and a gate that no input moves.

a = A x and m = exp(min(M log max(|x|, eps), 20)) with NAC weights A and M, s = prod_i (|M_i| sign(x_i) + 1 - |M_i|)
restores the sign that the logarithm loses, and g = sigmoid(G) is one number an output. A penalty drives every raw
parameter beyond 20 in magnitude once the error is small, and a model that is stuck at a large error starts anew.

Source: Schlör, Ring and Hotho, "iNALU: Improved Neural Arithmetic Logic Unit" (2020), section 3; settings: the code of
Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022). Those of the unit's own authors are in
`configs/tables/inalu.yaml`.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer, register
from arith_lightning.architectures.nac import accumulator_weight
from arith_lightning.architectures.reduction import dot, product, selected
from arith_lightning.complaint import require
from arith_lightning.streams import Stream

EPSILON = 1e-7
"""Smallest magnitude that enters the logarithm."""
LARGEST = 20.0
"""Largest exponent of the multiplicative path, and the magnitude that the penalty asks of every parameter."""
CYCLE, WEIGHT_STEPS = 10, 8
"""Of so many steps the first so many move the weights, the others the gates, where training alternates."""
MEMORY = 64
"""Evaluations that a decision to start anew looks back on, at most."""


class iNALULayer(ArithmeticLayer):  # noqa: N801
    """Map `(..., in_features)` to `(..., out_features)`; nearly exact for all four operations on any signs.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        shared: whether both paths use the weights of the additive one.
        w_center: mean of the normal start of `w_hat_add` and `w_hat_mul`.
        m_center: mean of the normal start of `m_hat_add` and `m_hat_mul`.
        gate_center: mean of the normal start of `gate`.
        init_scale: standard deviation of all three.
    """

    w_center: Tensor
    m_center: Tensor
    gate_center: Tensor
    init_scale: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        shared: bool = False,
        w_center: float = 0.88,
        m_center: float = 0.5,
        gate_center: float = 0.0,
        init_scale: float = 0.2,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            w_center=w_center,
            m_center=m_center,
            gate_center=gate_center,
            init_scale=init_scale,
        )
        self.shared = shared
        for path in ("add",) if shared else ("add", "mul"):
            for name in ("w_hat", "m_hat"):
                self.register_parameter(f"{name}_{path}", nn.Parameter(torch.empty(out_features, in_features)))
        self.gate = nn.Parameter(torch.empty(out_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw every parameter."""
        centers = {"w": self.w_center, "m": self.m_center, "g": self.gate_center}
        return {
            name: stream.normal(tuple(parameter.shape), centers[name[0]], self.init_scale).to(stream.dtype)
            for name, parameter in self.named_parameters()
        }

    def penalty(self) -> Tensor:
        """Return the sum over parameter tensors of the mean distance from 20 in magnitude."""
        return torch.stack([(LARGEST - parameter.abs()).clamp(min=0).mean() for parameter in self.parameters()]).sum()

    def weights(self) -> dict[str, Tensor]:
        """Return A, and M where it is another."""
        paths = ("add",) if self.shared else ("add", "mul")
        raw = dict(self.named_parameters())
        return {f"weight_{path}": accumulator_weight(raw[f"w_hat_{path}"], raw[f"m_hat_{path}"]) for path in paths}

    def gates(self, x: Tensor) -> Tensor:
        """Return the gates `(..., out_features)`, equal for all examples."""
        return torch.sigmoid(self.gate).expand(*x.shape[:-1], -1)

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a sum, a product with its signs, or a mixture by its gate."""
        weights = self.weights()
        add, mul = weights["weight_add"], weights.get("weight_mul", weights["weight_add"])
        gate = torch.sigmoid(self.gate)
        rows = zip(add.tolist(), mul.tolist(), gate.tolist(), strict=True)
        return [
            wording.gated(gate.unsqueeze(0), k, f"{share:.4g}", wording.total(adding, names), signed(factors, names))
            for k, (adding, factors, share) in enumerate(rows)
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated mixture of sum and signed product."""
        weights = self.weights()
        add, mul = weights["weight_add"], weights.get("weight_mul", weights["weight_add"])
        exponent = dot(mul, torch.log(x.abs().clamp(min=EPSILON)))
        sign = product(selected, mul.abs(), x.sign())
        gate = torch.sigmoid(self.gate)
        return gate * dot(add, x) + (1 - gate) * torch.exp(exponent.clamp(max=LARGEST)) * sign


def signed(weights: Sequence[float], names: Sequence[str]) -> str:
    """Return a product of powers of magnitudes and of signs, each let in by its weight's magnitude."""
    if all(wording.is_(abs(weight), 0) or wording.is_(abs(weight), 1) for weight in weights):
        return wording.powers(weights, names)
    signs = wording.selection([abs(w) for w in weights], [f"sign({name})" for name in names], wording.mixed)
    return f"{wording.powers(weights, wording.magnitudes(names))} * {signs}"


class iNALU(ArithmeticModule):  # noqa: N801
    """One `iNALULayer`, trained as in the primer; a member that is stuck starts anew.

    The penalty is on from `penalty_start` for batches with an error below 1. A model starts anew at an evaluation if
    `restart_after` steps have passed since its last start, the interpolation error is above `restart_above` on average
    over the later half of the evaluations since then, and the earlier half's mean is not above that by more than its
    standard deviation. Optimizer state is kept. Published are an error of 1, which no range of small numbers reaches,
    and all evaluations: one large error at the start then hides for long that nothing has improved since.

    The unit's own authors move weights and gates in turns, the weights on the first 8 of 10 steps (`alternating`), and
    start stuck models anew from U(-2, 2) (`restart_range`).

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        shared: whether both paths share their weights.
        w_center: see `iNALULayer`.
        m_center: see `iNALULayer`.
        gate_center: see `iNALULayer`.
        init_scale: see `iNALULayer`.
        hidden_features: numbers that a first layer hands to a second; null for a single layer.
        restart_after: steps between two starts, at least; infinity never starts anew.
        restart_above: mean squared error on the interpolation set from which a model can be stuck.
        restart_memory: latest evaluations since the last start that are looked at, at most.
        restart_range: half-width of the uniform start of models that start anew; null for that of the first start.
        alternating: whether weights and gates are moved in turns instead of together; needs sgd or rmsprop.
        gradient_clip_value: largest magnitude of any gradient entry.
        penalty_weight: factor of the penalty once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    restart_after: Tensor
    restart_above: Tensor
    restart_memory: Tensor
    history: Tensor
    evaluations: Tensor
    started: Tensor

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        shared: bool = False,
        w_center: float = 0.88,
        m_center: float = 0.5,
        gate_center: float = 0.0,
        init_scale: float = 0.2,
        hidden_features: int | None = None,
        restart_after: float = 5_000,
        restart_above: float = 1.0,
        restart_memory: float = MEMORY,
        restart_range: float | None = None,
        alternating: bool = False,
        gradient_clip_value: float | None = 0.1,
        penalty_weight: float = 0.05,
        penalty_start: int = 10_000,
        penalty_end: int = 10_000,
        **training: Any,
    ) -> None:
        require(restart_after > 0, "restart_after must be positive", restart_after, "try 5000, or .inf for never")
        require(restart_above >= 0, "restart_above must not be negative", restart_above, "try 1.0, or 1e-6")
        require(
            2 <= restart_memory <= MEMORY, f"restart_memory must lie in [2, {MEMORY}]", restart_memory, f"try {MEMORY}"
        )
        require(
            restart_range is None or 0 < restart_range < float("inf"),
            "restart_range must be positive and finite, or null",
            restart_range,
            "the published value is 2",
        )
        require(
            not alternating or training.get("optimizer") in ("sgd", "rmsprop"),
            "alternating steps need an optimizer that does not count them",
            training.get("optimizer", "adam"),
            "set optimizer: rmsprop, as published",
        )
        sizes = [in_features, out_features] if hidden_features is None else [in_features, hidden_features, out_features]
        layers = [
            iNALULayer(inputs, outputs, shared, w_center, m_center, gate_center, init_scale)
            for inputs, outputs in pairwise(sizes)
        ]
        super().__init__(
            layers[0] if hidden_features is None else nn.Sequential(*layers),
            gradient_clip_value=gradient_clip_value,
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )
        self.restart_range, self.alternating = restart_range, alternating
        register(self, restart_after=restart_after, restart_above=restart_above, restart_memory=restart_memory)
        register(self, evaluations=0, started=0)
        self.register_buffer("history", torch.zeros(MEMORY, dtype=torch.float64))

    def penalty(self, step: Tensor, error: Tensor) -> Tensor:
        """Return the weighted penalty, zero where the error is not below 1."""
        penalty = super().penalty(step, error)
        return torch.where(error < 1, penalty, torch.zeros_like(penalty))

    def resting(self, step: Tensor) -> dict[str, Tensor]:
        """Return which parameters wait for their turn."""
        if not self.alternating:
            return {}
        gates_turn = step % CYCLE >= WEIGHT_STEPS
        return {name: gates_turn != name.endswith("gate") for name, _ in self.named_parameters()}

    def restart(self, stream: Stream) -> dict[str, Tensor]:
        """Return the parameters of a model that starts anew, by full name."""
        reach = self.restart_range
        if reach is None:
            return self.initial(stream)
        shapes = {name: tuple(value.shape) for name, value in self.named_parameters()}
        return {name: stream.uniform(shape, -reach, reach) for name, shape in shapes.items()}

    def after_evaluation(self, interpolation_mse: Tensor, stream: Stream) -> dict[str, Tensor]:
        """Remember the error, and start anew if stuck; a NaN is no reason to."""
        history = torch.cat([self.history[1:], interpolation_mse.double().reshape(1)])
        count = torch.minimum(self.evaluations + 1, self.restart_memory)
        position = torch.arange(MEMORY, device=history.device) - (MEMORY - count)
        half = (count / 2).floor()
        before, after = (position >= 0) & (position < half), position >= half
        mean_before, mean = (_mean(history, part) for part in (before, after))
        deviation = _mean((history - mean).square(), after).sqrt()
        waited = (half >= 1) & (stream.step - self.started >= self.restart_after)
        stuck = waited & (mean > self.restart_above) & (mean_before <= mean + deviation)
        fresh = self.restart(stream)
        parameters = {name: torch.where(stuck, fresh[name], value) for name, value in self.named_parameters()}
        return parameters | {
            "history": history,
            "evaluations": torch.where(stuck, 0.0, count),
            "started": torch.where(stuck, stream.step, self.started),
        }


def _mean(values: Tensor, part: Tensor) -> Tensor:
    return torch.where(part, values, 0.0).sum() / part.sum()
