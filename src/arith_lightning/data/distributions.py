"""Distributions of inputs on intervals, each drawn through its inverse distribution function, and their moments.

`uniform`; `benford`, the density 1 / x of Benford's law, under which leading digits d have the shares log10(1 + 1 / d)
on whole decades; `truncated_normal` and `exponential`, cut off at the ends of the interval.

Source: Mistry, Farrahi and Hare, "Learning Division with Neural Arithmetic Logic Modules" (2021), and Schloer, Ring and
Hotho, "iNALU: Improved Neural Arithmetic Logic Unit" (2020), for the choice; the moments are derived here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.streams import Stream

Range = Sequence[float] | Sequence[Sequence[float]]
Distribution = Literal["uniform", "benford", "truncated_normal", "exponential"]
SHAPES = {"uniform": (), "benford": (), "truncated_normal": ("mean", "std"), "exponential": ("scale",)}
"""What a distribution needs beside its intervals."""
POINTS = 2**16
"""Points of the midpoint rule, by which moments without a closed form are integrated."""


class Moments(NamedTuple):
    """Moments of one input x, float64 scalars."""

    mean: Tensor
    """E[x]"""
    absolute: Tensor
    """E|x|"""
    square: Tensor
    """E[x^2]"""
    fourth: Tensor
    """E[x^4]"""
    inverse_square: Tensor
    """E[1 / x^2]; infinite where 0 lies inside an interval or at its end."""

    @classmethod
    def of(cls, intervals: Tensor, distribution: Distribution = "uniform", shape: Sequence[Tensor] = ()) -> "Moments":
        """Return the moments of a number drawn from `intervals`, shape `(count, 2)`, each equally likely."""
        low, high = intervals.double().unbind(-1)
        if distribution == "uniform":
            width = high - low
            absolute = (high * high.abs() - low * low.abs()) / (2 * width)
            square = (high**3 - low**3) / (3 * width)
            fourth = (high**5 - low**5) / (5 * width)
            inverse_square = 1 / (low * high)
            rows = [(low + high) / 2, absolute, square, fourth, inverse_square]
        elif distribution == "benford":
            rows = [(high**k - low**k) / (k * (high / low).log()) for k in (1, 1, 2, 4, -2)]
        else:
            rows = _integrated(low, high, distribution, shape)
        rows[-1] = torch.where(low * high > 0, rows[-1], torch.inf)
        return cls(*(row.mean() for row in rows))


def _integrated(low: Tensor, high: Tensor, distribution: Distribution, shape: Sequence[Tensor]) -> list[Tensor]:
    middle = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
    x = low + (high - low) * middle.unsqueeze(-1)
    if distribution == "truncated_normal":
        mean, std = shape
        log_density = -0.5 * ((x - mean) / std) ** 2
    else:
        log_density = -x / shape[0]
    # the density relative to its peak, so that a far tail does not vanish
    density = (log_density - log_density.max(0).values).exp()
    powers = (x, x.abs(), x**2, x**4, x**-2)
    return [(power * density).sum(0) / density.sum(0) for power in powers]


def intervals(name: str, value: Range, count: int = 1) -> Tensor:
    """Return a range, `[low, high]` or a list of such, as a tensor of at least `count` rows, repeating a single one."""
    rows = torch.tensor(value, dtype=torch.float64)
    rows = rows.unsqueeze(0) if rows.dim() == 1 else rows
    require(
        rows.dim() == 2 and rows.shape[-1] == 2 and rows.numel() > 0,
        f"{name} must be [low, high] or a list of such intervals",
        value,
        "try [1, 2]",
    )
    require(
        bool(rows.isfinite().all() and (rows[:, 0] < rows[:, 1]).all()),
        f"{name} must have finite low < high in every interval",
        value,
        "try [1, 2]",
    )
    return rows if len(rows) >= count else rows.expand(count, 2).clone()


def in_words(columns: Mapping[str, Tensor], split: str, distribution: Distribution = "uniform") -> str:
    """Return a member's range of a split as text, with its distribution unless that is uniform.

    A second operand with a range of its own stands behind a slash.
    """
    known = [columns[name].tolist() for name in (split, f"second_{split}") if name in columns]
    texts = [" or ".join(dict.fromkeys(f"[{low:g}, {high:g}]" for low, high in intervals)) for intervals in known]
    if distribution == "uniform":
        return " / ".join(texts)
    shape = columns[f"{split}_shape"].tolist() if f"{split}_shape" in columns else []
    arguments = f"({', '.join(f'{value:g}' for value in shape)})" if shape else ""
    return f"{distribution}{arguments} on {' / '.join(texts)}"


def parameters(name: str, distribution: Distribution, value: Sequence[float], rows: Tensor) -> Tensor:
    """Return what a distribution on the intervals `rows` needs beside them, checked, as a tensor."""
    if distribution not in get_args(Distribution):
        known = ", ".join(get_args(Distribution))
        raise ValueError(f"distribution must be one of {known}; got {distribution!r}; try uniform")
    needed = SHAPES[distribution]
    if len(value) != len(needed) or not all(math.isfinite(v) for v in value) or (needed and not value[-1] > 0):
        rule = f"must be [{', '.join(needed)}] of a {distribution} distribution, finite, {needed[-1:]} positive"
        rule = rule if needed else f"must be left out of a {distribution} distribution"
        raise ValueError(f"{name} {rule}; got {list(value)}; try {[0.0, 1.0][-len(needed) :] if needed else []}")
    require(
        distribution != "benford" or bool((rows > 0).all()),
        "numbers of Benford's law are positive",
        f"intervals {rows.tolist()}",
        "try [10, 100]",
    )
    return torch.tensor(list(value), dtype=torch.float64)


def uniform(stream: Stream, rows: Tensor, size: tuple[int, ...]) -> Tensor:
    """Draw numbers uniformly from intervals `(count, 2)`, each interval equally likely, one random number apiece."""
    count = len(rows)
    rows = rows.to(stream.dtype)
    if count == 1:
        return stream.uniform(size, rows[0, 0], rows[0, 1])
    scaled = stream.uniform(size) * count
    choice = scaled.floor()
    low, width = rows[:, 0], rows[:, 1] - rows[:, 0]
    x = low[0] + width[0] * scaled
    for k in range(1, count):
        x = torch.where(choice == k, low[k] + width[k] * (scaled - k), x)
    return x


def _benford(stream: Stream, rows: Tensor, size: tuple[int, ...], shape: Sequence[Tensor]) -> Tensor:
    return uniform(stream, rows.log(), size).exp()


def _quantiles(stream: Stream, rows: Tensor, size: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the low and the high end of a randomly chosen interval and a uniform number of (0, 1), in float64."""
    scaled = (stream.uniform(size).double() + 2.0**-25) * len(rows)
    choice = scaled.floor().long()
    return rows[:, 0][choice], rows[:, 1][choice], scaled - choice


def _truncated_normal(stream: Stream, rows: Tensor, size: tuple[int, ...], shape: Sequence[Tensor]) -> Tensor:
    mean, std = shape
    low, high, u = _quantiles(stream, rows, size)
    a, b = (low - mean) / std, (high - mean) / std
    # an interval in the upper tail, where the distribution function rounds to 1, is drawn as its mirror image
    flip = torch.where(a + b > 0, -1.0, 1.0).double()
    first, last = (0.5 * torch.erfc(-flip * z / math.sqrt(2)) for z in (a, b))
    z = flip * torch.special.ndtri(first + (last - first) * u)
    return torch.minimum(torch.maximum(mean + std * z, low), high).to(stream.dtype)


def _exponential(stream: Stream, rows: Tensor, size: tuple[int, ...], shape: Sequence[Tensor]) -> Tensor:
    (scale,) = shape
    low, high, u = _quantiles(stream, rows, size)
    return (low - scale * torch.log1p(u * torch.expm1((low - high) / scale))).to(stream.dtype)


DRAWS: dict[str, Callable[[Stream, Tensor, tuple[int, ...], Sequence[Tensor]], Tensor]] = {
    "uniform": lambda stream, rows, size, shape: uniform(stream, rows, size),
    "benford": _benford,
    "truncated_normal": _truncated_normal,
    "exponential": _exponential,
}


def draw(
    distribution: Distribution, stream: Stream, rows: Tensor, size: tuple[int, ...], shape: Sequence[Tensor] = ()
) -> Tensor:
    """Draw numbers of shape `size` from intervals `(count, 2)`, each equally likely.

    Args:
        distribution: what holds inside an interval.
        stream: where the random numbers come from, one for each number drawn.
        rows: the intervals, float64.
        size: shape of what is drawn.
        shape: mean and standard deviation of a truncated normal, scale of an exponential; float64 scalars.
    """
    return DRAWS[distribution](stream, rows, size, shape)
