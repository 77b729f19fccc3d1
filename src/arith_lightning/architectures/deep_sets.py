"""Deep sets: z = rho(sum_i phi(x_i)), the same for every order of the elements; and a product over a set.

What a larger set than any in training gets is decided by the form of rho alone: the sum simply goes on, and a linear
rho goes on with it; an MLP stops being right where its training range ends; the exponential of a linear map turns the
sum of learnt logarithms into a product.

Source: Zaheer et al., "Deep Sets" (2017), theorem 2.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures.activations import ACTIVATIONS, Activation
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.mlp import LinearLayer
from arith_lightning.architectures.reduction import product
from arith_lightning.complaint import require
from arith_lightning.streams import Stream

TINY = 1e-30
"""Smallest number whose logarithm is taken."""


class SetNetwork(nn.Module):
    """Map sets `(..., 2 places)`, numbers then mask, to `(..., out_features)`; any number of places."""

    def __init__(self, phi: nn.Module, rho: nn.Module, exponential: bool) -> None:
        super().__init__()
        self.phi, self.rho, self.exponential = phi, rho, exponential

    def forward(self, x: Tensor) -> Tensor:
        """Return rho of the sum of phi over the elements, or its exponential."""
        numbers, mask = x.movedim(-1, 0).unsqueeze(-1).chunk(2)  # places first, so that examples stay innermost
        pooled = (self.phi(numbers) * mask).sum(0)
        z = self.rho(pooled)
        return torch.exp(z) if self.exponential else z


class DeepSets(ArithmeticModule):
    """phi, a network of one hidden layer on each element; rho on the sum of its outputs.

    Args:
        in_features: twice the places of a set.
        out_features: number of outputs.
        width: hidden units of phi, and of rho where it has any.
        features: outputs of phi.
        activation: elementwise function of the hidden units.
        rho: `linear`, `mlp` with one hidden layer, or `exponential` of a linear map, trained on errors of logarithms.
        training: see `ArithmeticModule`.
    """

    discrete = False
    example = {"class_path": "NumberSets", "init_args": {"max_size": 1, "test_size": 3, "batch_size": 16}}

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        width: int = 32,
        features: int = 8,
        activation: Activation = "gelu",
        rho: Literal["linear", "mlp", "exponential"] = "linear",
        **training: Any,
    ) -> None:
        require(in_features % 2 == 0, "a set has as many masks as numbers; in_features", in_features, "make it even")
        require(min(width, features) >= 1, "width and features must be positive", (width, features), "try 32 and 8")
        phi = nn.Sequential(LinearLayer(1, width), ACTIVATIONS[activation](), LinearLayer(width, features))
        head: nn.Module = LinearLayer(features, out_features)
        if rho == "mlp":
            head = nn.Sequential(
                LinearLayer(features, width), ACTIVATIONS[activation](), LinearLayer(width, out_features)
            )
        super().__init__(SetNetwork(phi, head, rho == "exponential"), **training)
        self.on_logarithms = rho == "exponential"

    def error(self, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean squared error, of the logarithms where rho is exponential."""
        if self.on_logarithms:
            prediction, y = (value.clamp(min=TINY).log() for value in (prediction, y))
        return super().error(prediction, x, y)


class ProductSetLayer(ArithmeticLayer):
    """Map sets `(..., 2 places)` to `(..., 1)`: an NMU whose one weight all places share, z = prod_i (w x_i + 1 - w).

    Args:
        in_features: twice the places of a set; any other even number is taken as well.
    """

    bounds = {"weight": (0.0, 1.0)}

    def __init__(self, in_features: int) -> None:
        super().__init__(in_features, 1)
        self.weight = nn.Parameter(torch.empty(1, 1))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight` from U(0.25, 0.75), as an NMU's."""
        return {"weight": stream.uniform((1, 1), 0.25, 0.75)}

    def weights(self) -> dict[str, Tensor]:
        """Return the weight."""
        return {"weight": self.weight}

    def forward(self, x: Tensor) -> Tensor:
        """Return the product over the elements."""
        numbers, mask = x.chunk(2, dim=-1)
        weight = self.weight.squeeze(-1) * mask
        return product(
            lambda _, factor: factor, self.weight.expand(1, numbers.shape[-1]), weight * numbers + 1 - weight
        )


class ProductSet(ArithmeticModule):
    """One `ProductSetLayer`, trained.

    Args:
        in_features: twice the places of a set.
        out_features: must be 1.
        training: see `ArithmeticModule`.
    """

    example = {
        "class_path": "NumberSets",
        "init_args": {"operation": "product", "max_size": 1, "test_size": 3, "batch_size": 16},
    }

    def __init__(self, in_features: int = 2, out_features: int = 1, **training: Any) -> None:
        require(in_features % 2 == 0, "a set has as many masks as numbers; in_features", in_features, "make it even")
        require(out_features == 1, "a product over a set has one output; out_features", out_features, "set it to 1")
        super().__init__(ProductSetLayer(in_features), **training)
