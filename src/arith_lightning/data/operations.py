"""Operations of two numbers, and the error of an almost perfect solution of each.

An almost perfect solution has every weight off by epsilon. Its mean squared error over independent inputs has a closed
form in the inputs' moments, which are those of the extrapolation range.

Source: Madsen and Johansen, "Measuring Arithmetic Extrapolation Performance" (2019), and Mistry, Farrahi and Hare,
"A Primer for Neural Arithmetic Logic Modules" (2022), on thresholds; the closed forms are derived here.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Moments of one input x over a mixture of intervals, float64 scalars."""

    mean: Tensor
    """E[x]"""
    absolute: Tensor
    """E|x|"""
    square: Tensor
    """E[x^2]"""
    fourth: Tensor
    """E[x^4]"""
    inverse_square: Tensor
    """E[1 / x^2]; infinite where 0 lies inside an interval."""

    @classmethod
    def of(cls, intervals: Tensor) -> "Moments":
        """Return the moments of a number drawn from `intervals`, shape `(count, 2)`, each equally likely."""
        low, high = intervals.double().unbind(-1)
        width = high - low
        absolute = (high * high.abs() - low * low.abs()) / (2 * width)
        square = (high**3 - low**3) / (3 * width)
        fourth = (high**5 - low**5) / (5 * width)
        inverse_square = torch.where(low * high > 0, 1 / (low * high), torch.inf)
        return cls(*(m.mean() for m in ((low + high) / 2, absolute, square, fourth, inverse_square)))


def linear(moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of a sum or difference: E[(eps sum |x_i|)^2] over all inputs."""
    return epsilon**2 * (inputs * moments.square + inputs * (inputs - 1) * moments.absolute**2)


def scaled(log_factor: float, square: Tensor, moments: Moments, epsilon: float, ignored: int) -> Tensor:
    """Return E[t^2] E[(f - 1)^2], f = e^log_factor prod (1 - eps |x_i|) over `ignored` inputs."""
    if not ignored:
        return square * torch.expm1(torch.tensor(log_factor, dtype=torch.float64)) ** 2
    one_less = -torch.as_tensor(epsilon, dtype=torch.float64) * moments.absolute
    spread = epsilon**2 * (moments.square - moments.absolute**2) / (1 + one_less) ** 2
    log_mean = log_factor + ignored * torch.log1p(one_less)
    variance = torch.exp(2 * log_mean) * torch.expm1(ignored * torch.log1p(spread))
    return square * (torch.expm1(log_mean) ** 2 + variance)


def product(moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of a product whose two factors are each (1 - eps) x_i."""
    log_factor = 2 * float(torch.log1p(torch.tensor(-epsilon, dtype=torch.float64)))
    return scaled(log_factor, moments.square**2, moments, epsilon, inputs - 2)


def quotient(moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of a quotient (1 - eps) x_1 / ((1 + eps) x_2)."""
    e = torch.tensor(epsilon, dtype=torch.float64)
    log_factor = float(torch.log1p(-e) - torch.log1p(e))
    return scaled(log_factor, moments.square * moments.inverse_square, moments, epsilon, inputs - 2)


def power(exponent: float, square: Tensor, moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of ((1 - eps) x_1)^exponent, where `square` is E[x^(2 exponent)]."""
    log_factor = exponent * float(torch.log1p(torch.tensor(-epsilon, dtype=torch.float64)))
    return scaled(log_factor, square, moments, epsilon, inputs - 1)


def squared(moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of the square of one factor (1 - eps) x_1."""
    return power(2.0, moments.fourth, moments, epsilon, inputs)


def rooted(moments: Moments, epsilon: float, inputs: int) -> Tensor:
    """Return the error of the root of (1 - eps) x_1; infinite where x_1 may be negative."""
    return power(0.5, torch.where(moments.mean == moments.absolute, moments.mean, torch.inf), moments, epsilon, inputs)


class Operation(NamedTuple):
    """An operation of two tensors and the error of its epsilon-perfect solution."""

    name: str
    function: Callable[[Tensor, Tensor], Tensor]
    epsilon_perfect: Callable[[Moments, float, int], Tensor]


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("add", torch.add, linear),
        Operation("sub", torch.sub, linear),
        Operation("mul", torch.mul, product),
        Operation("div", torch.div, quotient),
        Operation("square", lambda a, b: a * a, squared),
        Operation("root", lambda a, b: torch.sqrt(a), rooted),
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
