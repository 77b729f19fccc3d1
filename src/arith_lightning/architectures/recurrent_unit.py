"""Arithmetic layer as a recurrent cell: h_t = cell([h_{t-1}, x_t]), a state of one number, which is the answer.

A cell that adds or multiplies two numbers exactly sums or multiplies sequences of any length; one off by epsilon
goes wrong a little at every step. Where the items of a sequence are not numbers but vectors, such as images, a dense
network reads each of them into the number x_t first, and is trained through the cell.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.2.
"""

from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer, register
from arith_lightning.architectures.mlp import LinearLayer
from arith_lightning.architectures.nau import NAULayer
from arith_lightning.architectures.reduction import multiply
from arith_lightning.complaint import require
from arith_lightning.streams import Stream


class ExactLayer(ArithmeticLayer):
    """The sum or the product of all inputs, with nothing to learn: what a learnt cell is compared with.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output; 1.
        operation: sum or product.
    """

    def __init__(
        self, in_features: int = 2, out_features: int = 1, operation: Literal["sum", "product"] = "sum"
    ) -> None:
        super().__init__(in_features, out_features)
        require(out_features == 1, "a fold has one output; out_features", out_features, "set it to 1")
        require(operation in ("sum", "product"), "operation must be sum or product", repr(operation), "try sum")
        self.operation = operation

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw nothing."""
        return {}

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum or the product."""
        return x.sum(-1, keepdim=True) if self.operation == "sum" else multiply(x.split(1, dim=-1))


class Recurrence(nn.Module):
    """Map sequences `(..., length * item_features)` to the last state, `(..., 1)`.

    Args:
        cell: maps the state and a number, `(..., 2)`, to the next state, `(..., 1)`.
        reader: maps `(..., item_features)` to a number, `(..., 1)`.
        item_features: numbers that make up one item of the sequence.
        initial_state: state before the first item.
    """

    initial_state: Tensor

    def __init__(self, cell: ArithmeticLayer, reader: nn.Module, item_features: int, initial_state: float) -> None:
        super().__init__()
        self.reader, self.cell, self.item_features = reader, cell, item_features
        register(self, initial_state=initial_state)

    def forward(self, x: Tensor) -> Tensor:
        """Return the state after the last item."""
        numbers = self.reader(x.unflatten(-1, (-1, self.item_features))).squeeze(-1)
        state = torch.zeros_like(numbers[..., :1]) + self.initial_state.to(x.dtype)
        for k in range(numbers.shape[-1]):
            state = self.cell(torch.stack([state[..., 0], numbers[..., k]], dim=-1))
        return state


class RecurrentUnit(ArithmeticModule):
    """A recurrence of one arithmetic layer, trained.

    Args:
        cell: an arithmetic layer of two inputs and one output; null is a `NAULayer`.
        initial_state: state before the first item: 0 for sums, 1 for products.
        item_features: numbers that make up one item of the sequence.
        reader_widths: units of each hidden layer of the dense network that reads an item into a number; null leaves
            items, which must then be single numbers, as they are.
        training: see `ArithmeticModule`.
    """

    example = {
        "class_path": "NumberSequences",
        "init_args": {"length": 3, "test_length": 9, "test_size": 20, "batch_size": 16},
    }

    def __init__(
        self,
        cell: ArithmeticLayer | None = None,
        initial_state: float = 0.0,
        item_features: int = 1,
        reader_widths: list[int] | None = None,
        **training: Any,
    ) -> None:
        cell = NAULayer(2, 1) if cell is None else cell
        sizes = (cell.in_features, cell.out_features)
        require(sizes == (2, 1), "a cell needs 2 inputs, state and number, and 1 output", sizes, "set both in the cell")
        require(item_features >= 1, "item_features must be positive", item_features, "try 1")
        require(
            reader_widths is not None or item_features == 1,
            "items of several numbers need reader_widths; item_features",
            item_features,
            "try reader_widths [32]",
        )
        require(
            reader_widths is None or all(width >= 1 for width in reader_widths),
            "reader_widths must be positive",
            reader_widths,
            "try [32]",
        )
        reader: nn.Module = nn.Identity()
        if reader_widths is not None:
            layers: list[nn.Module] = []
            for fan_in, fan_out in pairwise([item_features, *reader_widths]):
                layers += [LinearLayer(fan_in, fan_out), nn.ReLU()]
            reader = nn.Sequential(*layers, LinearLayer([item_features, *reader_widths][-1], 1))
        super().__init__(Recurrence(cell, reader, item_features, initial_state), **training)

    def gates(self, x: Tensor) -> None:
        """Return nothing: the inputs of the cell's gates, if any, differ at every step."""
