"""What stays the same at every look: what is trained on and asked for, and what the architecture can do."""

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from arith_lightning.diagnosis.evidence import Family
from arith_lightning.diagnosis.family import family
from arith_lightning.population import Population
from arith_lightning.population.asking import names
from arith_lightning.population.measurement import SPLITS

MARGIN, BEYOND = 0.1, 0.05
"""Share of an input's range by which it must lie outside, and of the examples that must, to count as beyond."""
TIED = 0.99999
"""Correlation of two inputs from which they say the same."""


class Asked(NamedTuple):
    """The training inputs and the two evaluation sets of a setting, as `Evidence` tells of them."""

    variance: float
    outside_variance: float
    constant_error: float
    rounding: float
    strange: tuple[str, ...]
    parted: tuple[str, ...]
    beyond: float


class Task:
    """What stays the same at every look at a population, computed when it is first asked for.

    Args:
        population: the members; those of a setting are asked the same.
    """

    def __init__(self, population: Population) -> None:
        self.population, self.known = population, dict[int, Asked]()

    @cached_property
    def family(self) -> Family:
        """What the architecture does whatever its weights."""
        return family(self.population)

    def asked(self, member: int) -> Asked:
        """Return what a member is asked; all are asked the same where data have no columns."""
        first = member - member % len(self.population.seeds) if self.population.all_columns.data else 0
        if first not in self.known:
            self.known[first] = asked(self.population, first)
        return self.known[first]


def asked(population: Population, member: int) -> Asked:
    """Return what a member is trained on and asked for."""
    data = population.data
    (x, y), (asked_x, asked_y) = (population.examples(member, split) for split in SPLITS)
    seen = trained_on(population, member) if data.fixed else x
    low, high = seen.amin(1, keepdim=True), seen.amax(1, keepdim=True)
    margin = MARGIN * (high - low)
    beyond = ((asked_x < low - margin) | (asked_x > high + margin)).any(0).double().mean().item()
    strange = ((low == high) & (asked_x != low)).any(1)
    named = names(data)
    named = named if len(named) == data.in_features else [f"x{k + 1}" for k in range(data.in_features)]
    y, asked_y = y.double(), asked_y.double()
    eps = torch.finfo(population.precision).eps / 2
    return Asked(
        variance=y.var(-1, correction=0).mean().item(),
        outside_variance=asked_y.var(-1, correction=0).mean().item(),
        constant_error=data.judge(data.baseline(y)[1], y).item(),
        rounding=(eps * asked_y).square().mean().item() / 3 if data.criterion.squared else 0.0,
        strange=tuple(name for name, changes in zip(named, strange.tolist(), strict=True) if changes),
        parted=tuple(named[k] for k in parted(seen, asked_x)),
        beyond=beyond if beyond > BEYOND else 0.0,
    )


def trained_on(population: Population, member: int) -> Tensor:
    """Return the inputs `(in_features, rows)` of a member's fixed rows, on the CPU."""
    columns, like = population.all_columns.select(torch.tensor([member])), population.record.parameters.cpu()
    population.data.place(like)
    x, _ = population.dynamics.draw(columns, torch.zeros((), dtype=torch.int64), like.dtype)
    return x


def parted(seen: Tensor, asked: Tensor) -> list[int]:
    """Return two rows of `(in_features, examples)` that say the same in what is seen, not in what is asked."""

    def tied(x: Tensor) -> Tensor:
        x = x.double() - x.double().mean(1, keepdim=True)
        norm = x.norm(dim=1).clamp(min=1e-30)
        return (x @ x.mT / (norm.unsqueeze(1) * norm)).abs() > TIED

    pairs = torch.triu(tied(seen) & ~tied(asked), diagonal=1).nonzero().tolist()
    return pairs[0] if pairs else []
