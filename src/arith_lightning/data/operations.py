"""Operations of two numbers, and the error of an almost perfect solution of each.

An almost perfect solution has every weight off by epsilon. Its mean squared error over independent inputs has a closed
form in the inputs' moments, which are those of the extrapolation range.

Source: Madsen and Johansen, "Measuring Arithmetic Extrapolation Performance" (2019), and Mistry, Farrahi and Hare,
"A Primer for Neural Arithmetic Logic Modules" (2022), on thresholds; the closed forms are derived here.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from arith_lightning.data.distributions import Moments

DIVISIONS = ("div", "reciprocal")
"""Operations that divide by an operand."""
Inputs = Sequence[Moments]
"""Moments of every input; an operation takes the first or the first two, the others are distractors."""


def linear(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of a sum or difference: E[(eps sum |x_i|)^2] over all inputs."""
    mean = torch.stack([x.absolute for x in inputs])
    square = torch.stack([x.square for x in inputs])
    return epsilon**2 * (mean.sum() ** 2 + (square - mean**2).sum())


def scaled(log_factor: float, square: Tensor, ignored: Inputs, epsilon: float) -> Tensor:
    """Return E[t^2] E[(f - 1)^2], f = e^log_factor prod (1 - eps |x_i|) over `ignored` inputs; `square` is E[t^2]."""
    if not ignored:
        return square * torch.expm1(torch.tensor(log_factor, dtype=torch.float64)) ** 2
    one_less = -torch.stack([epsilon * x.absolute for x in ignored])
    spread = epsilon**2 * torch.stack([x.square - x.absolute**2 for x in ignored]) / (1 + one_less) ** 2
    log_mean = log_factor + torch.log1p(one_less).sum()
    variance = torch.exp(2 * log_mean) * torch.expm1(torch.log1p(spread).sum())
    return square * (torch.expm1(log_mean) ** 2 + variance)


def product(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of a product whose two factors are each (1 - eps) x_i."""
    log_factor = 2 * float(torch.log1p(torch.tensor(-epsilon, dtype=torch.float64)))
    return scaled(log_factor, inputs[0].square * inputs[1].square, inputs[2:], epsilon)


def quotient(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of a quotient (1 - eps) x_1 / ((1 + eps) x_2)."""
    e = torch.tensor(epsilon, dtype=torch.float64)
    log_factor = float(torch.log1p(-e) - torch.log1p(e))
    return scaled(log_factor, inputs[0].square * inputs[1].inverse_square, inputs[2:], epsilon)


def reciprocal(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of a reciprocal 1 / ((1 + eps) x_1)."""
    log_factor = -float(torch.log1p(torch.tensor(epsilon, dtype=torch.float64)))
    return scaled(log_factor, inputs[0].inverse_square, inputs[1:], epsilon)


def power(exponent: float, square: Tensor, inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of ((1 - eps) x_1)^exponent, where `square` is E[x_1^(2 exponent)]."""
    log_factor = exponent * float(torch.log1p(torch.tensor(-epsilon, dtype=torch.float64)))
    return scaled(log_factor, square, inputs[1:], epsilon)


def squared(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of the square of one factor (1 - eps) x_1."""
    return power(2.0, inputs[0].fourth, inputs, epsilon)


def rooted(inputs: Inputs, epsilon: float) -> Tensor:
    """Return the error of the root of (1 - eps) x_1; infinite where x_1 may be negative."""
    x = inputs[0]
    return power(0.5, torch.where(x.mean == x.absolute, x.mean, torch.inf), inputs, epsilon)


class Operation(NamedTuple):
    """An operation of two tensors and the error of its epsilon-perfect solution."""

    name: str
    function: Callable[[Tensor, Tensor], Tensor]
    epsilon_perfect: Callable[[Inputs, float], Tensor]
    operands: int = 2
    """How many of the two it depends on."""


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("add", torch.add, linear),
        Operation("sub", torch.sub, linear),
        Operation("mul", torch.mul, product),
        Operation("div", torch.div, quotient),
        Operation("reciprocal", lambda a, b: 1 / a, reciprocal, 1),
        Operation("square", lambda a, b: a * a, squared, 1),
        Operation("root", lambda a, b: torch.sqrt(a), rooted, 1),
    )
}


def operation(name: str) -> Operation:
    """Look an operation up by name."""
    if name not in OPERATIONS:
        raise ValueError(
            f"unknown operation {name!r}; expected one of {', '.join(OPERATIONS)} "
            "(to add one: a line of OPERATIONS in data/operations.py)"
        )
    return OPERATIONS[name]
