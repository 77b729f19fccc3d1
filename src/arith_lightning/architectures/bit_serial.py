"""Bit-serial multiplication with one learned cell, shared by every place and every time step.

The operand a waits in n cells, one bit each; the bits of b arrive lowest first, then n zeros. In every step all cells
compute, from the partial product a_i b_t, the sum bit that the next higher cell held, and their own carry bit,

    s_i, c_i <- cell(a_i b_t, s_{i+1}, c_i)

and the lowest cell's sum is the next bit of the product. A full adder as the cell multiplies exactly, with any number
of bits (carry-save: no carry travels further than its own cell). The cell is a truth table of two outputs over three
bits, read by multilinear interpolation: the expected entry if the inputs were independent random bits. Its 16 entries
are learned from products alone; at entries of exactly 0 and 1, which the projection makes reachable, nothing drifts
however many steps are taken.

Source: the serial-parallel multiplier of digital arithmetic, e.g. Parhami, "Computer Arithmetic" (2000), chapter 12.
"""

from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.complaint import require
from arith_lightning.streams import Stream


class TruthTableLayer(ArithmeticLayer):
    """Map `(..., in_features)` soft bits in [0, 1] to `(..., out_features)` soft bits through a learned truth table.

    Args:
        in_features: input bits.
        out_features: output bits.
        init_low: lower end of the entries' uniform start.
        init_high: upper end of it.
    """

    init_low: Tensor
    init_high: Tensor
    bounds = {"table": (0.0, 1.0)}

    def __init__(self, in_features: int, out_features: int, init_low: float = 0.0, init_high: float = 1.0) -> None:
        require(
            0 <= init_low <= init_high <= 1,
            "entries start in an interval inside [0, 1]",
            f"{init_low=}, {init_high=}",
            "try 0.1 and 0.9",
        )
        super().__init__(in_features, out_features, init_low=init_low, init_high=init_high)
        self.table = nn.Parameter(torch.empty(out_features, 2**in_features))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `table`; column k is the answer to the inputs that spell k, highest bit first."""
        return {"table": stream.uniform((self.out_features, 2**self.in_features), self.init_low, self.init_high)}

    def penalty(self) -> Tensor:
        """Return the mean distance of the entries from 0 or 1."""
        return torch.minimum(self.table.abs(), (1 - self.table).abs()).mean()

    def forward(self, x: Tensor) -> Tensor:
        """Return sum_k table_k prod_i (x_i if bit i of k else 1 - x_i), one input after the other."""
        return _read(self.table.reshape(*self.table.shape, *[1] * (x.dim() - 1)), list(x.unbind(-1))).movedim(0, -1)


def _read(table: Tensor, bits: list[Tensor]) -> Tensor:
    # depth first: of the many partial answers few exist at a time, which tests on long numbers need
    if not bits:
        return table.squeeze(1)
    no, yes = (_read(half, bits[1:]) for half in table.chunk(2, dim=1))
    return no + (yes - no) * bits[0]


class BitSerialNetwork(nn.Module):
    """Map `(..., 2n)` bits, two operands with the highest bit first, to the `(..., 2n)` bits of their product."""

    def __init__(self, cell: TruthTableLayer) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        """Run 2n steps of n cells; n is read off the input."""
        a, b = x.chunk(2, dim=-1)
        total = carry = none = torch.zeros_like(a)
        digits = []
        for bit in [*reversed(b.split(1, dim=-1)), *none.split(1, dim=-1)]:
            higher = torch.cat([none[..., :1], total[..., :-1]], dim=-1)
            total, carry = self.cell(torch.stack([a * bit, higher, carry]).movedim(0, -1)).unbind(-1)
            digits.append(total[..., -1].clone())  # a view would keep all cells of every step in memory
        return torch.stack(digits[::-1], dim=-1)


class BitSerial(ArithmeticModule):
    """A bit-serial multiplier whose one cell is learned; trained on mean squared error of the product's bits.

    Args:
        in_features: bits of both operands in training; the network takes any even number.
        out_features: bits of the product, as many.
        init_low: lower end of the truth table's uniform start.
        init_high: upper end of it.
        training: see `ArithmeticModule`.
    """

    discrete = False
    example = {
        "class_path": "BinaryMultiplication",
        "init_args": {"bits": 3, "coding": "zero_one", "train_share": 1.0, "batch_size": None},
    }

    def __init__(
        self,
        in_features: int = 6,
        out_features: int = 6,
        init_low: float = 0.0,
        init_high: float = 1.0,
        **training: Any,
    ) -> None:
        require(
            in_features >= 2 and not in_features % 2 and out_features == in_features,
            "two operands of n bits have a product of 2n bits",
            f"{in_features=}, {out_features=}",
            "set both to the same even number",
        )
        super().__init__(BitSerialNetwork(TruthTableLayer(3, 2, init_low, init_high)), **training)
