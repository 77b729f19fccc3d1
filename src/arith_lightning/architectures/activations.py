"""Elementwise functions between layers, and heads after the last one, by the names that configurations use."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal[
    "none",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "sigmoid",
    "tanh",
    "hard_tanh",
    "square",
    "sin",
]
Head = Literal["linear", "relu", "sigmoid", "softmax"]


class Square(nn.Module):
    """x^2: with (a + b)^2 - (a - b)^2 = 4 a b, two of them multiply."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the square of each element."""
        return torch.square(x)


class Sine(nn.Module):
    """sin(x), the activation of networks for what repeats itself."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sine of each element."""
        return torch.sin(x)


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "hard_tanh": nn.Hardtanh,
    "square": Square,
    "sin": Sine,
}


class Softmax(nn.Module):
    """Softmax over the outputs."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `(..., out_features)` probabilities that sum to one."""
        return torch.softmax(x, dim=-1)


HEADS: dict[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "softmax": Softmax,
}
RANGES = {"linear": (-math.inf, math.inf), "relu": (0.0, math.inf), "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0)}
"""Smallest and largest value of each head."""
