"""Residual multilayer perceptron: h <- h + gelu(W norm(h) + b), layer after layer.

`norm` takes off the mean of the units of one example and divides by their standard deviation. The identity path hands
the gradient of the output to every layer unchanged, and normalised inputs keep every layer's activations in the range
where the nonlinearity bends, whatever the learning rate has done to the layers before it.

Source: He et al., "Identity mappings in deep residual networks" (2016); Ba, Kiros and Hinton, "Layer normalization"
(2016), here without its gain and bias, which the affine map that follows contains.
"""

from typing import Any

from torch import Tensor, nn

from arith_lightning.architectures.mlp import DenseModule, Init, LinearLayer
from arith_lightning.complaint import require


class ResidualLayer(LinearLayer):
    """Map `(..., width)` to `(..., width)`; arguments as `LinearLayer` with both sizes equal to `width`."""

    def __init__(self, width: int, init: Init = "he", init_scale: float = 1.0) -> None:
        super().__init__(width, width, init, init_scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + gelu(W norm(x) + b)."""
        return x + nn.functional.gelu(super().forward(nn.functional.layer_norm(x, (self.in_features,))))


class ResidualMLP(DenseModule):
    """An affine stem of `width` units, `depth` residual layers, a normalisation and an affine output, trained.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        depth: number of residual layers.
        width: units in each of them.
        init: start of every affine layer; see `LinearLayer`.
        init_scale: factor on the weights at the start.
        training: see `DenseModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        depth: int = 2,
        width: int = 32,
        init: Init = "he",
        init_scale: float = 1.0,
        **training: Any,
    ) -> None:
        require(
            depth >= 0 and width >= 2,
            "a residual MLP needs depth >= 0 and width >= 2 to normalise over",
            f"{depth=}, {width=}",
            "try depth 4, width 256",
        )
        body = nn.Sequential(
            LinearLayer(in_features, width, init, init_scale),
            *(ResidualLayer(width, init, init_scale) for _ in range(depth)),
            nn.LayerNorm(width, elementwise_affine=False),
            LinearLayer(width, out_features, init, init_scale),
        )
        super().__init__(body, **training)
