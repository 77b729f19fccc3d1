"""Neural addition unit: z = W x with W projected into [-1, 1] and pushed to -1, 0 or 1 by a penalty.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 2.2 to 2.4. Settings: the single module task of
Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules" (2022).
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


class NAULayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for sums and differences of subsets.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_scale: factor on the published start U(-r, r), r = min(1/2, sqrt(6 / (in + out))).
    """

    init_scale: Tensor
    bounds = {"weight": (-1.0, 1.0)}

    def __init__(self, in_features: int, out_features: int, init_scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight`."""
        scale = self.init_scale * min(0.5, math.sqrt(6 / (self.in_features + self.out_features)))
        return {"weight": stream.uniform((self.out_features, self.in_features), -scale, scale)}

    def penalty(self) -> Tensor:
        """Return the mean distance of |W| from 0 or 1."""
        return torch.minimum(self.weight.abs(), (1 - self.weight.abs()).abs()).mean()

    def weights(self) -> dict[str, Tensor]:
        """Return W."""
        return {"weight": self.weight}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a sum."""
        return [wording.total(row, names) for row in self.weight.tolist()]

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted sum of the inputs."""
        return dot(self.weight, x)


class NAU(ArithmeticModule):
    """One `NAULayer`, trained as published for the single module task: Adam at 1e-3 and a late penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        init_scale: factor on the published start.
        penalty_weight: factor of the penalty once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    layer: ClassVar[type[NAULayer]] = NAULayer

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        init_scale: float = 1.0,
        penalty_weight: float = 0.01,
        penalty_start: int = 20_000,
        penalty_end: int = 35_000,
        **training: Any,
    ) -> None:
        super().__init__(
            self.layer(in_features, out_features, init_scale),
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )
