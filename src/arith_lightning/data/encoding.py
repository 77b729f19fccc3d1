"""How numbers are shown to a network: integers as bits, digits, one of many or sines; reals scaled.

A network sees prepared numbers; whatever is reported is in the units in which it was given.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from arith_lightning.complaint import nearest, require

Scaling = Literal["none", "standard", "range"]
CALL = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
WAY_OUT = "write bits(8), digits(3), one_hot(10), or sines(2, 4, 8) with the periods"
LARGEST = 2**53
"""Integers up to which double precision is exact."""


class Encoding(NamedTuple):
    """One column of numbers as several.

    `bits(n)`: n bits 0 or 1, highest first. `digits(n)`: n decimal digits, each divided by 9, highest first.
    `one_hot(n)`: n numbers, 1 at the place of the integer, counted from 0. `sines(p, q, ...)`: the sine and the cosine
    of 2 pi x / p for each period p.
    """

    kind: str
    arguments: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers it makes of one."""
        return 2 * len(self.arguments) if self.kind == "sines" else int(self.arguments[0])

    @property
    def end(self) -> float:
        """End (exclusive) of the integers that it takes; infinite for sines, which take any number."""
        bases = {"bits": 2.0**self.size, "digits": 10.0**self.size, "one_hot": float(self.size)}
        return bases.get(self.kind, math.inf)

    def of(self, x: Tensor) -> Tensor:
        """Encode numbers `(rows,)` as `(size, rows)`."""
        if self.kind == "sines":
            turns = [2 * math.pi * x / period for period in self.arguments]
            return torch.stack([part for turn in turns for part in (torch.sin(turn), torch.cos(turn))])
        if self.kind == "one_hot":
            return torch.stack([(x == place).to(x.dtype) for place in range(self.size)])
        base = 2.0 if self.kind == "bits" else 10.0
        digits = [torch.remainder(torch.floor(x / base**k), base) for k in reversed(range(self.size))]
        return torch.stack(digits) / (base - 1)

    def check(self, name: str, x: Tensor) -> None:
        """Refuse numbers that it cannot show.

        Raises:
            ValueError: one is negative, not an integer, or too large.
        """
        wrong = (x < 0) | (x >= self.end) | (x != x.floor())
        if math.isfinite(self.end) and wrong.any():
            rule = f"{name} as {self.kind}({self.size}) must be integers from 0 to {self.end - 1:g}"
            require(False, rule, f"{x[wrong][0].item():g}", "take a larger size, other numbers, or sines")


def encoding(name: str, text: str) -> Encoding:
    """Read an encoding such as `bits(8)`.

    Raises:
        ValueError: it is none.
    """
    match = CALL.fullmatch(str(text))
    kinds = ("bits", "digits", "one_hot", "sines")
    kind = match[1] if match else str(text)
    require(bool(match) and kind in kinds, f"encode of {name} must be one of {', '.join(kinds)}", text, WAY_OUT)
    assert match
    try:
        arguments = tuple(float(part) for part in match[2].split(","))
    except ValueError:
        arguments = ()
    most = {"bits": 53, "digits": 15, "one_hot": 10_000}.get(kind, math.inf)
    whole = kind == "sines" or (len(arguments) == 1 and arguments[0] == int(arguments[0]))
    fits = len(arguments) > 0 and all(0 < value <= most and math.isfinite(value) for value in arguments)
    require(fits and whole, f"encode of {name} must have a size that fits", text, WAY_OUT)
    return Encoding(kind, arguments)


class Affine(NamedTuple):
    """Numbers as (x - shift) / factor."""

    shift: float = 0.0
    factor: float = 1.0

    def of(self, x: Tensor) -> Tensor:
        """Scale numbers of any shape."""
        return (x - self.shift) / self.factor

    def back(self, x: Tensor) -> Tensor:
        """Undo `of`."""
        return x * self.factor + self.shift


def fitted(scaling: Scaling, x: Tensor, name: str) -> Affine:
    """Return the scaling of a column by its training part `(rows,)`.

    Args:
        scaling: `standard` to mean 0 and standard deviation 1, `range` to [-1, 1], or `none`.
        x: the numbers.
        name: name of the column in a complaint.

    Raises:
        ValueError: the numbers are all the same, which no scaling changes.
    """
    require(scaling in get_args(Scaling), "scaling must be none, standard or range", repr(scaling), "try standard")
    if scaling == "none":
        return Affine()
    low, high = x.min().item(), x.max().item()
    require(low < high, f"{name} must vary in the training part to be scaled", low, "leave it out")
    if scaling == "range":
        return Affine((low + high) / 2, (high - low) / 2)
    return Affine(x.mean().item(), x.std(correction=0).item())


@dataclass(init=False)
class Preparation:
    """What is done to numbers before a network sees them, and undone before they are reported.

    Args:
        names: the input columns.
        x: the inputs of the training part, `(columns, rows)`, double precision.
        y: its targets, `(targets, rows)`.
        encode: encodings by name of the column.
        scale_inputs: how the columns that are not encoded are scaled.
        scale_targets: how targets are.

    Raises:
        ValueError: an encoding is none, or names no input.
    """

    names: list[str]
    columns: list[Encoding | Affine]
    targets: list[Affine]
    in_features: int

    def __init__(
        self,
        names: Sequence[str],
        x: Tensor,
        y: Tensor,
        encode: Mapping[str, str],
        scale_inputs: Scaling,
        scale_targets: Scaling,
    ) -> None:
        for name in encode:
            rule = f"encode must name inputs: {', '.join(names)}"
            require(name in names, rule, name, f"correct it{nearest(name, names)}")
        self.columns = [
            encoding(name, encode[name]) if name in encode else fitted(scale_inputs, column, f"input {name}")
            for name, column in zip(names, x, strict=True)
        ]
        self.targets = [fitted(scale_targets, column, f"target {k + 1}") for k, column in enumerate(y)]
        self.in_features = sum(part.size if isinstance(part, Encoding) else 1 for part in self.columns)
        self.names = list(names)

    def check(self, x: Tensor) -> None:
        """Refuse inputs `(columns, rows)` that an encoding cannot show."""
        for name, part, column in zip(self.names, self.columns, x, strict=True):
            if isinstance(part, Encoding):
                part.check(name, column)

    def inputs(self, x: Tensor) -> Tensor:
        """Return what a network sees of inputs `(columns, rows)`, `(in_features, rows)`."""
        if all(part == Affine() for part in self.columns):
            return x
        parts = zip(self.columns, x.unbind(), strict=True)
        return torch.cat([part.of(row) if isinstance(part, Encoding) else part.of(row)[None] for part, row in parts])

    def scaled(self, y: Tensor) -> Tensor:
        """Return targets `(targets, rows)` as a network is to answer them."""
        if all(part == Affine() for part in self.targets):
            return y
        return torch.stack([part.of(row) for part, row in zip(self.targets, y.unbind(-2), strict=True)], dim=-2)

    def original(self, y: Tensor) -> Tensor:
        """Return answers `(..., targets, rows)` of a network in the units of the targets."""
        if all(part == Affine() for part in self.targets):
            return y
        return torch.stack([part.back(row) for part, row in zip(self.targets, y.unbind(-2), strict=True)], dim=-2)
