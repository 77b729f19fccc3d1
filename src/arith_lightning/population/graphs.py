"""Compiled stretches of steps, one graph for any number of members wherever torch can map the layers over any."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from arith_lightning.population.compilation import Steps
from arith_lightning.population.members import Columns
from arith_lightning.population.optimizers import State

AXES = {"state": (-1,), "columns": (0,), "first": (), "corrections": (0,), "batches": (0, 1), "count": ()}
"""Axes, of what a stretch of steps takes, whose length is a number of members or of steps and may change."""


@dataclass(order=True)
class Graph:
    """Compiled steps, and the members and rows of corrections that they were first called with."""

    members: int
    rows: int
    steps: Steps = field(compare=False)

    def takes(self, members: int, rows: int) -> bool:
        """Return whether it can be called with so many, where need be with idle members beside them."""
        return (not self.bound or members <= self.members) and (
            rows == self.rows or self.rows not in self.steps.constants
        )

    @property
    def bound(self) -> bool:
        """Whether it takes no other number of members than that of its first call."""
        return self.members in self.steps.constants


class Graphs:
    """A stretch of steps, compiled for each kind of numbers it is called with.

    Args:
        stretch: takes state, columns, first step, corrections, batches and number of steps; returns the state.
        packed: lays parameters `(parameters, members)` out as the stretch returns them.
        products: whether the steps are mostly products of matrices.
    """

    def __init__(self, stretch: Callable[..., State], packed: Callable[[Tensor], Tensor], products: bool) -> None:
        self.stretch, self.packed, self.products = stretch, packed, products
        self.known: dict[str, list[Graph]] = {}

    def __call__(
        self,
        state: State,
        columns: Columns,
        first: Tensor,
        corrections: Tensor,
        batches: tuple[Tensor, ...],
        count: Tensor,
    ) -> State:
        """Take the steps with the one graph for any number of members; else with the next larger, some idle."""
        members, rows, like = len(columns.seed), len(corrections), state["parameters"]
        known = self.known.setdefault(f"{like.dtype} {like.device} {'one' if members == 1 else 'many'}", [])
        able = [graph for graph in known if graph.takes(members, rows)]
        if not able:
            able = [
                Graph(members, rows, Steps(lambda *given: self.stretch(*given), tuple(AXES.values()), self.products))
            ]
            known += able
        graph = min(able)
        if graph.bound and graph.members > members:
            which = torch.arange(graph.members, device=like.device).clamp(max=members - 1)
            state = {name: self.packed(value[:, which]) for name, value in state.items()}
            columns, batches = columns.select(which), tuple(part[:, which] for part in batches)
        end = graph.steps(state, columns, first, corrections, batches, count)
        return {name: value[:, :members] for name, value in end.items()}
