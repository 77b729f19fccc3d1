"""How errors went, evaluation by evaluation, a bounded number of them."""

from typing import Any

import torch
from torch import Tensor

MOST = 64
"""Evaluations that are kept; when there are more, every second one is left out."""


class History:
    """Interpolation errors of all members at some evaluations."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.errors: list[Tensor] = []
        """`(members,)` each, double precision."""
        self.seen, self.every = 0, 1

    def add(self, step: int, errors: Tensor) -> None:
        """Note the errors of an evaluation."""
        if self.seen % self.every == 0:
            self.steps.append(step)
            self.errors.append(errors.detach().cpu().double().clone())
        self.seen += 1
        if len(self.steps) > MOST:
            self.steps, self.errors, self.every = self.steps[::2], self.errors[::2], 2 * self.every

    def table(self, members: Tensor) -> tuple[Tensor, Tensor]:
        """Return the steps `(evaluations,)` and the errors of some members, `(evaluations, members)`."""
        steps = torch.tensor(self.steps, dtype=torch.float64)
        return steps, torch.stack(self.errors)[:, members] if self.errors else torch.zeros(0, len(members))

    def plain(self) -> dict[str, Any]:
        """Return it as what a checkpoint may hold."""
        return {"steps": self.steps, "errors": self.errors, "seen": self.seen, "every": self.every}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "History":
        """Undo `plain`."""
        history = cls()
        history.steps, history.errors = plain["steps"], plain["errors"]
        history.seen, history.every = plain["seen"], plain["every"]
        return history
