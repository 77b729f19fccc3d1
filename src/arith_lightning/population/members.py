"""What is live: the members that still train, and what differs between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from arith_lightning.population.optimizers import State

Which = Tensor | slice
"""A choice of members: a mask or indices `(members,)`, or a stretch."""


class Columns(NamedTuple):
    """What differs between members, each tensor with a leading axis of members."""

    seed: Tensor
    """int32 seeds."""
    module: dict[str, Tensor]
    """The module's buffers (hyperparameters)."""
    data: dict[str, Tensor]
    """The data module's columns."""

    def select(self, which: Which) -> "Columns":
        """Return the columns of some members."""
        module, data = ({name: column[which] for name, column in group.items()} for group in (self.module, self.data))
        return Columns(self.seed[which], module, data)


@dataclass
class Members:
    """Members in training.

    Attributes:
        index: their places in the population, `(members,)`.
        columns: what differs between them.
        state: parameters and optimizer's buffers, each `(parameters, members)`.
    """

    index: Tensor
    columns: Columns
    state: State

    def __len__(self) -> int:
        return len(self.index)

    @property
    def parameters(self) -> Tensor:
        """Their parameters, `(parameters, members)`."""
        return self.state["parameters"]

    def select(self, which: Which) -> "Members":
        """Return some of them."""
        state = {name: value[:, which] for name, value in self.state.items()}
        return Members(self.index[which], self.columns.select(which), state)

    def apply(self, function: Callable[[Tensor], Tensor]) -> "Members":
        """Return them with every tensor changed, such as moved to a device."""
        seed, module, data = self.columns
        module, data, state = (
            {name: function(value) for name, value in group.items()} for group in (module, data, self.state)
        )
        return Members(function(self.index), Columns(function(seed), module, data), state)

    def plain(self) -> dict[str, Any]:
        """Return them as tensors in dictionaries, all that a checkpoint may hold."""
        return {"index": self.index, **self.columns._asdict(), "state": self.state}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Members":
        """Undo `plain`."""
        return cls(plain["index"], Columns(plain["seed"], plain["module"], plain["data"]), plain["state"])
