"""Modified Real NPU: a Real NPU whose powers and gates are projected, started smaller and pushed to whole numbers.

Powers are kept in [-1, 1] and gates in [0, 1]; powers start as the weights of a neural addition unit do. Beside the
penalty of a Real NPU, late in training a second one drives powers to -1 or 1 and gates to 0 or 1,
mean |1 - |W|| + mean min(|g|, |1 - g|), so that only the gates leave inputs out.

Source: Mistry, Farrahi and Hare, "Learning Division with Neural Arithmetic Logic Modules" (2021), section on the
Real NPU's modifications; settings are those of its code for two inputs.
"""

from typing import Any

import torch
from torch import Tensor

from arith_lightning.architectures.base import ramp
from arith_lightning.architectures.layer import register
from arith_lightning.architectures.npu import RealNPU, RealNPULayer
from arith_lightning.complaint import require
from arith_lightning.streams import Stream


class ModifiedRealNPULayer(RealNPULayer):
    """Map `(..., in_features)` to `(..., out_features)`; exact for products and quotients of any sign.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_scale: factor on the published start U(-r, r), r = min(1/2, sqrt(6 / (in + out))).
        gate_start: value of every gate at the start.
    """

    bounds = {"weight_real": (-1.0, 1.0), "gate": (0.0, 1.0)}

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight_real`; the gate starts at `gate_start`."""
        values = super().initial(stream)
        return values | {"weight_real": values["weight_real"] * min(1.0, 0.5 / self.glorot())}

    def discretization(self) -> Tensor:
        """Return the mean distance of the powers from -1 or 1 plus that of the gates from 0 or 1."""
        powers = (1 - self.weight_real.abs()).abs().mean()
        return powers + torch.minimum(self.gate.abs(), (1 - self.gate).abs()).mean()


class ModifiedRealNPU(RealNPU):
    """One `ModifiedRealNPULayer`, trained as published for the division of two inputs.

    Args:
        penalty_weight: last factor of the penalty on magnitudes; see `RealNPU`.
        discretization_weight: factor of the second penalty once its ramp has ended.
        discretization_start: step at which its linear ramp starts.
        discretization_end: step at which it has reached `discretization_weight`.
        training: see `RealNPU`.
    """

    layer = ModifiedRealNPULayer
    network: ModifiedRealNPULayer
    discretization_weight: Tensor
    discretization_start: Tensor
    discretization_end: Tensor

    def __init__(
        self,
        penalty_weight: float = 1e-7,
        discretization_weight: float = 1.0,
        discretization_start: int = 40_000,
        discretization_end: int = 50_000,
        **training: Any,
    ) -> None:
        require(
            discretization_end >= discretization_start,
            "the ramp must end after it starts; discretization_end",
            discretization_end,
            f"choose at least discretization_start={discretization_start}",
        )
        super().__init__(penalty_weight=penalty_weight, **training)
        register(
            self,
            discretization_weight=discretization_weight,
            discretization_start=discretization_start,
            discretization_end=discretization_end,
        )

    def penalty(self, step: Tensor, error: Tensor) -> Tensor:
        """Return both weighted penalties."""
        discretization = self.network.discretization()
        weight = self.discretization_weight * ramp(step, self.discretization_start, self.discretization_end)
        return super().penalty(step, error) + weight.to(discretization.dtype) * discretization
