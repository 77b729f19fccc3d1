"""Neural multiplication unit: z = prod_i (W_i x_i + 1 - W_i), W projected into [0, 1].

A weight of 1 multiplies its input in, a weight of 0 leaves it out; signs come out right because nothing passes
through a logarithm. For a negative input the factor is zero at W = 1 / (1 - x): a weight that starts below that
barrier is trapped.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 2.3 and 2.4. Settings: the single module task
of Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.reduction import product, selected
from arith_lightning.streams import Stream


class NMULayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products of subsets.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_center: middle of the uniform start.
        init_scale: half the width of the uniform start; center 0.5 and 0.25 are the published U(0.25, 0.75).
    """

    init_center: Tensor
    init_scale: Tensor
    bounds = {"weight": (0.0, 1.0)}

    def __init__(self, in_features: int, out_features: int, init_center: float = 0.5, init_scale: float = 0.25) -> None:
        super().__init__(in_features, out_features, init_center=init_center, init_scale=init_scale)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight`."""
        low, high = self.init_center - self.init_scale, self.init_center + self.init_scale
        return {"weight": stream.uniform(tuple(self.weight.shape), low, high)}

    def penalty(self) -> Tensor:
        """Return the mean distance of W from 0 or 1."""
        return torch.minimum(self.weight.abs(), (1 - self.weight).abs()).mean()

    def weights(self) -> dict[str, Tensor]:
        """Return W."""
        return {"weight": self.weight}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a product."""
        return [wording.selection(row, names, wording.mixed) for row in self.weight.tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the product over the selected inputs."""
        return product(selected, self.weight, x)


class NMU(ArithmeticModule):
    """One `NMULayer`, trained as published for the single module task: Adam at 1e-3 and a late penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init_center: middle of the uniform start.
        init_scale: half the width of the uniform start.
        penalty_weight: factor of the penalty once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[NMULayer]] = NMULayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init_center: float = 0.5,
        init_scale: float = 0.25,
        penalty_weight: float = 10.0,
        penalty_start: int = 20_000,
        penalty_end: int = 35_000,
        **training: Any,
    ) -> None:
        super().__init__(
            self.layer(in_features, out_features, init_center, init_scale),
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )
