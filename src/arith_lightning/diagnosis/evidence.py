"""What a diagnosis looks at: the unsolved members of a population on examples of their training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

FITTED = 0.01
"""Share of the variance below which an error inside the training range counts as small."""


class Family(NamedTuple):
    """What networks of an architecture do whatever their weights, measured on fresh ones."""

    linear: bool = False
    """Whether they are affine maps, but for the head."""
    symmetry: int = 0
    """-1 if f(-x) = -f(x), 1 if f(-x) = f(x), 0 if neither."""
    signless: bool = False
    """Whether they multiply through logarithms of magnitudes, which have no sign."""
    low: float = -torch.inf
    high: float = torch.inf
    """Least and greatest value that they return."""


@dataclass
class Evidence:
    """The unsolved members; the first axis of every tensor is theirs.

    Attributes:
        x: training examples as a network sees them, `(members, in_features, examples)`.
        y: their targets as they are trained on, `(members, out_features, examples)`.
        answer: answers in evaluation mode, like `y`.
        units: outputs of each hidden activation by its place, `(members, units, examples)`.
        kinds: the class of each activation, such as `ReLU`.
        gates: gates between 0 and 1, `(members, n)`; None where the architecture has none.
        gradient: root of the mean square of each layer's gradient by name, in the order of computation, `(members,)`.
        diverged: whether an error is no longer a number.
        fit_error: the dataset's own error on these examples, in the units of the data.
        constant_error: that of the best constant answer.
        threshold: error below which a member is solved.
        inside, outside: mean squared errors on the interpolation and the extrapolation set, at the latest step.
        variance: of the targets of the interpolation set, averaged over outputs.
        outside_variance: likewise of the extrapolation set.
        rounding: mean squared error that rounding alone makes of the extrapolation set's targets.
        judge: the dataset's own error of answers to targets `(out_features, examples)` as they are trained on.
        family: what the architecture does whatever its weights.
        affine: whether inputs enter an affine layer as they are.
        fixed: whether all steps train on the same rows.
        classes: whether outputs are classes.
        share: whether the dataset judges by a share of wrong answers.
        strange: names of inputs that vary in the extrapolation set and do not in training.
        parted: two inputs that say the same in training and differ in the extrapolation set.
        beyond: share of the extrapolation set that lies outside the range of the training inputs.
        learning_rate: `(members,)`.
        optimizer: its name.
        steps: steps of the evaluations, `(evaluations,)`.
        errors: interpolation errors then, `(evaluations, members)`.
    """

    x: Tensor
    y: Tensor
    answer: Tensor
    diverged: Tensor
    fit_error: Tensor
    constant_error: Tensor
    threshold: Tensor
    inside: Tensor
    outside: Tensor
    variance: Tensor
    outside_variance: Tensor
    learning_rate: Tensor
    judge: Callable[[Tensor, Tensor], Tensor]
    steps: Tensor
    errors: Tensor
    units: Mapping[str, Tensor] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    gradient: Mapping[str, Tensor] = field(default_factory=dict)
    gates: Tensor | None = None
    rounding: float = 0.0
    family: Family = field(default_factory=Family)
    affine: bool = False
    fixed: bool = False
    classes: bool = False
    share: bool = False
    strange: tuple[str, ...] = ()
    parted: tuple[str, ...] = ()
    beyond: float = 0.0
    optimizer: str = "adam"

    def __len__(self) -> int:
        return len(self.diverged)

    @cached_property
    def alive(self) -> Tensor:
        """Which members still have an error."""
        return ~self.diverged & self.answer.isfinite().flatten(1).all(1)

    @cached_property
    def fits(self) -> Tensor:
        """Which members are right, or nearly, inside the training range."""
        small = self.fit_error < FITTED if self.share else self.inside < FITTED * self.variance
        return self.alive & (small | (self.fit_error < self.threshold))

    @cached_property
    def wrong(self) -> Tensor:
        """Which members are wrong inside the training range already."""
        return self.alive & ~self.fits

    @property
    def example(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one member, by which the task itself is looked at, double precision."""
        return self.x[0].double(), self.y[0].double()

    @cached_property
    def size(self) -> Tensor:
        """Largest magnitude of each member's inputs."""
        return self.x.abs().flatten(1).amax(1)

    @cached_property
    def constant(self) -> Tensor:
        """Which members answer the same for every input, where targets differ."""
        answer, y = self.answer.double(), self.y.double()
        spread, size = (answer.amax(2) - answer.amin(2)).amax(1), answer.abs().amax((1, 2))
        return self.wrong & (spread <= 1e-6 * size) & ((y.amax(2) - y.amin(2)).amax(1) > 0)

    @cached_property
    def still(self) -> Tensor:
        """Which members have a gradient of exactly zero."""
        if not self.gradient:
            return torch.zeros_like(self.diverged)
        return torch.stack(list(self.gradient.values())).eq(0).all(0)

    @property
    def way_back(self) -> Tensor:
        """Gradient of the first layer as a multiple of the last one's."""
        first, *_, last = self.gradient.values()
        return first.double() / last.double()

    def least(self, answers: Tensor) -> Tensor:
        """Return the dataset's own error of the given answers, member by member."""
        return torch.stack([self.judge(a, y) for a, y in zip(answers, self.y, strict=True)])
