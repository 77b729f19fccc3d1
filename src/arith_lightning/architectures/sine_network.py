"""One layer of sines and an affine output: y = v . sin(W x + b) + c.

A single sine is the parity of n bits x in {-1, 1}: with every weight at an odd multiple of pi/2, sin(w . x + b) changes
sign with each bit. At random weights a unit's correlation with parity is the product of all |sin w_i|, which gradient
ascent pushes to 1, so it is enough that one unit starts far above the noise of a batch.

Source: Sitzmann et al., "Implicit neural representations with periodic activation functions" (2020), with one layer.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.mlp import LinearLayer
from arith_lightning.architectures.reduction import linear
from arith_lightning.complaint import require
from arith_lightning.streams import Stream


class SineLayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., out_features)` sines.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init_scale: weights start from U(-init_scale, init_scale), phases from U(-pi, pi).
    """

    init_scale: Tensor

    def __init__(self, in_features: int, out_features: int, init_scale: float = 2.0) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight` and `bias`."""
        weight = stream.uniform((self.out_features, self.in_features), -self.init_scale, self.init_scale)
        return {"weight": weight, "bias": stream.uniform((self.out_features,), -math.pi, math.pi)}

    def forward(self, x: Tensor) -> Tensor:
        """Return sin(W x + b)."""
        return torch.sin(linear(self.weight, x) + self.bias)


class SineNetwork(ArithmeticModule):
    """A `SineLayer` of `width` units and an affine output, trained.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        width: number of sines.
        init_scale: weights of the sines start from U(-init_scale, init_scale).
        training: see `ArithmeticModule`.
    """

    discrete = False

    def __init__(
        self, in_features: int = 2, out_features: int = 1, width: int = 16, init_scale: float = 2.0, **training: Any
    ) -> None:
        require(width >= 1, "width must be positive", width, "try 16")
        require(0 <= init_scale < math.inf, "init_scale must be finite and not negative", init_scale, "try 2")
        network = nn.Sequential(SineLayer(in_features, width, init_scale), LinearLayer(width, out_features))
        super().__init__(network, **training)
