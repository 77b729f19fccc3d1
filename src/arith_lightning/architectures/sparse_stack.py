"""A stack of arithmetic layers, wide and trained sparse: an L1 penalty on every parameter chooses what is used.

Every weight starts at U(0, 0.1), but for the imaginary powers and the gates of power units, which start at 0 and 1/2 as
always. The factor of the penalty grows tenfold every 10,000 steps, as with a single power unit.

Source: Heim, Pevny and Smidl, "Neural Power Units" (2020), the task of 100 inputs, and its code: RMSprop with a
smoothing of 0.9, and a hidden layer as wide as the inputs. Its addition units are not projected into [-1, 1], those
here are; the gates of its complex units, not those of its real ones, start at 1.
"""

from typing import Any

import torch
from torch import Tensor

from arith_lightning.architectures.npu import staircase
from arith_lightning.architectures.optimizers import Optimizer
from arith_lightning.architectures.stack import Stack
from arith_lightning.streams import Stream

START = 0.1
"""End of the uniform start."""


class SparseStack(Stack):
    """Layers one after the other, with small positive weights at the start and an L1 penalty.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        layers: see `Stack`.
        hidden_features: numbers that one layer hands to the next.
        optimizer: see `ArithmeticModule`.
        learning_rate: step size of the optimizer.
        penalty_weight: last factor of the penalty.
        penalty_start: step from which there is a penalty.
        penalty_end: step at which its factor has reached `penalty_weight`.
        training: see `ArithmeticModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        layers: list[str] = ["NAU", "RealNPU"],
        hidden_features: int = 2,
        optimizer: Optimizer = "rmsprop",
        learning_rate: float = 5e-3,
        penalty_weight: float = 1e-4,
        penalty_start: int = 0,
        penalty_end: int = 10_000,
        **training: Any,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            layers,
            hidden_features,
            optimizer=optimizer,
            learning_rate=learning_rate,
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
            **training,
        )

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw every weight; see the module for the others."""
        own = super().initial(stream)
        drawn = [name for name, value in own.items() if value.dim() > 1 and not name.endswith("weight_imag")]
        return own | {name: stream.uniform(tuple(own[name].shape), 0.0, START) for name in drawn}

    def penalty(self, step: Tensor, error: Tensor) -> Tensor:
        """Return the weighted sum of the absolute values of all parameters."""
        total = torch.stack([parameter.abs().sum() for parameter in self.parameters()]).sum()
        return self.penalty_schedule(step).to(total.dtype) * total

    def penalty_schedule(self, step: Tensor) -> Tensor:
        """Return the factor of the penalty at `step`: a staircase of powers of ten."""
        return staircase(step, self.penalty_weight, self.penalty_start, self.penalty_end)
