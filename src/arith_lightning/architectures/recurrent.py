"""Recurrent network: h_t = act(W x_t + U h_{t-1} + b) over a sequence of numbers, and an affine output of the last h.

A sequence lies in the features; a symbol of 0 is padding and leaves the state as it is. One set of weights serves every
length, so the network can be tested on sequences longer than any it was trained on. Parity needs two states only: the
state after each symbol either stays or flips.

Source: Elman, "Finding structure in time" (1990), section 2 for the network and its test on parity of two symbols.
"""

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.mlp import LinearLayer
from arith_lightning.architectures.reduction import linear
from arith_lightning.complaint import require
from arith_lightning.streams import Stream

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class RecurrentLayer(ArithmeticLayer):
    """Map sequences `(..., length)` of numbers to the last state, `(..., out_features)`.

    Starts like torch's `RNN`: every parameter from U(-1 / sqrt(out), 1 / sqrt(out)).

    Args:
        out_features: size of the state.
        activation: elementwise function of the state.
    """

    def __init__(self, out_features: int, activation: Literal["relu", "tanh"] = "relu") -> None:
        super().__init__(1, out_features)
        self.activation = activation
        self.weight = nn.Parameter(torch.empty(out_features, 1))
        self.recurrent_weight = nn.Parameter(torch.empty(out_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw all parameters."""
        bound = 1 / math.sqrt(self.out_features)
        return {name: stream.uniform(tuple(p.shape), -bound, bound) for name, p in self.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Return the state after the last symbol that is not padding; zero if there is none."""
        act = ACTIVATIONS[self.activation]
        state = torch.zeros(*x.shape[:-1], self.out_features, dtype=x.dtype, device=x.device)
        for symbol in x.split(1, dim=-1):
            drive = symbol * self.weight.squeeze(-1) + self.bias
            state = torch.where(symbol == 0, state, act(drive + linear(self.recurrent_weight, state)))
        return state


class RNN(ArithmeticModule):
    """A `RecurrentLayer` of `width` units and an affine output, trained.

    Args:
        out_features: number of outputs.
        width: size of the state.
        activation: elementwise function of the state.
        training: see `ArithmeticModule`.
    """

    discrete = False
    example = {
        "class_path": "SequenceParity",
        "init_args": {"max_length": 4, "test_length": 9, "test_size": 20, "batch_size": 16},
    }

    def __init__(
        self,
        out_features: int = 1,
        width: int = 32,
        activation: Literal["relu", "tanh"] = "relu",
        **training: Any,
    ) -> None:
        require(width >= 1, "width must be positive", width, "try 32")
        network = nn.Sequential(RecurrentLayer(width, activation), LinearLayer(width, out_features))
        super().__init__(network, **training)
