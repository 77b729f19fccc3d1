"""What a finding is: a cause of failure, how it is recognised in the evidence, and what is worth trying."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from arith_lightning.diagnosis.evidence import Evidence


class Seen(NamedTuple):
    """Where a finding holds."""

    members: Tensor
    """Which members show it, `(members,)`."""
    told: Callable[[Tensor], str]
    """What is said of some of these members, after their number."""


@dataclass(frozen=True)
class Finding:
    """A cause of failure.

    Attributes:
        name: how it is called.
        look: returns where the evidence shows it, or None.
        remedies: what is worth trying, names in `remedies/panel.yaml`, the most promising first.
        certain: whether it stays whatever else the steps to come do, so that it is told while a run goes on.
    """

    name: str
    look: Callable[[Evidence], Seen | None]
    remedies: tuple[str, ...]
    certain: bool

    @property
    def page(self) -> str:
        """What it is, how it is recognised and why it happens."""
        return self.look.__doc__ or ""


def finding(*remedies: str, certain: bool = False) -> Callable[[Callable[[Evidence], Seen | None]], Finding]:
    """Make a finding of a function, whose name it gets."""

    def made(look: Callable[[Evidence], Seen | None]) -> Finding:
        return Finding(look.__name__.replace("_", " "), look, remedies, certain)

    return made


class Diagnosis(NamedTuple):
    """What is told of some members."""

    finding: Finding
    members: int
    """How many it is the main finding of."""
    of: int
    """How many members are unsolved."""
    said: str

    @property
    def sentence(self) -> str:
        """Return how many members it is true of, and what."""
        return f"{self.members} of {self.of} unsolved networks {self.said}"

    def plain(self) -> dict[str, Any]:
        """Return it fit for JSON."""
        return {
            "finding": self.finding.name,
            "members": self.members,
            "of": self.of,
            "sentence": self.sentence,
            "remedies": list(self.finding.remedies),
        }


def median(values: Tensor) -> str:
    """Return the median of some numbers, three digits."""
    return f"{values.double().median().item():.3g}"
