"""Why nothing trains: what predictions, targets, gates and gradients of a population say about it, in sentences.

Each rule names a cause that people have run into and that a loss alone hides: an output that no longer depends on the
input, an answer that is merely zero or the mean, inputs that a network cannot take as they are, targets that its last
function cannot reach, gates and gradients that have stopped moving.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

CONSTANT = 1e-6
"""Relative spread of outputs over examples below which they count as one value."""
BASELINE = 0.01
"""Relative distance of an error from that of a constant answer below which they count as equal."""
SPAN = 100.0
"""Size of inputs above which an affine network wants them scaled."""
SATURATED = 1e-3
"""Distance of a gate from 0 or 1 below which its gradient has all but vanished."""
SHARE = 0.1
"""Share of members that must show a symptom before it is told."""


class Evidence(NamedTuple):
    """What is looked at: the unsolved members of a population on some examples."""

    x: Tensor
    """Inputs `(members, in_features, examples)`."""
    y: Tensor
    """Targets `(members, out_features, examples)`."""
    prediction: Tensor
    """Outputs, like `y`."""
    gradient: Tensor
    """Gradient of each member's loss, `(parameters, members)`."""
    gates: Tensor | None = None
    """Gates between 0 and 1, `(members, n)`, where the architecture has some."""
    affine: bool = False
    """Whether the inputs enter an affine layer as they are."""
    output_range: tuple[float, float] = (-torch.inf, torch.inf)
    """Values that the architecture can return."""


class Diagnosis(NamedTuple):
    """One finding."""

    symptom: str
    """Short name, one for each rule."""
    sentence: str
    """What was seen, with its numbers, and what helps."""


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Return what is found in at least a tenth of the members."""
    members = len(evidence.prediction)
    found = [*constants(evidence), *scales(evidence), *ranges(evidence), *stuck(evidence)]
    return [Diagnosis(name, sentence) for name, count, sentence in found if count >= max(1, SHARE * members)]


Finding = tuple[str, int, str]


def constants(evidence: Evidence) -> Iterator[Finding]:
    """Find outputs that are the same for every input, and errors that a constant answer would have."""
    prediction, y = evidence.prediction.double(), evidence.y.double()
    members = len(prediction)
    size = prediction.abs().amax((1, 2)).clamp(min=torch.finfo(torch.float64).tiny)
    spread = (prediction.amax(2) - prediction.amin(2)).amax(1)
    varies = ((y.amax(2) - y.amin(2)).amax(1) > 0) & prediction.isfinite().all(2).all(1)
    same = (spread <= CONSTANT * size) & varies
    if same.any():
        value = prediction[same].mean((1, 2)).median().item()
        dead = " (a last ReLU that is off for every input passes no gradient back)" if value == 0 else ""
        yield (
            "constant output",
            int(same.sum()),
            f"{same.sum()} of {members} unsolved members answer the same for every input, {value:.4g}{dead}: "
            "lower the learning rate or change the start",
        )
    mse = (prediction - y).square().mean((1, 2))
    for symptom, constant, answer in (
        ("error of zero", y.square().mean((1, 2)), "E[y^2], the error of answering 0"),
        ("error of the mean", y.var(2, correction=0).mean(1), "the variance of y, the error of answering its mean"),
    ):
        equal = ((mse - constant).abs() <= BASELINE * constant) & varies
        if equal.any():
            yield (
                symptom,
                int(equal.sum()),
                f"{equal.sum()} of {members} unsolved members have an error of {mse[equal].median():.3g}, "
                f"which is {answer}, whatever the input: they have learnt nothing from x yet",
            )


def scales(evidence: Evidence) -> Iterator[Finding]:
    """Find inputs far from 1 that enter an affine layer."""
    sizes = evidence.x.abs().double()
    largest, members = sizes.amax().item(), len(sizes)
    if evidence.affine and largest > SPAN:
        smallest = sizes[sizes > 0].amin().item()
        yield (
            "unscaled inputs",
            members,
            f"inputs reach from {smallest:.3g} to {largest:.3g} and enter an affine layer as they are, so its "
            f"gradient is up to {largest:.3g} times too steep and its units saturate: scale them to [-1, 1]",
        )


def ranges(evidence: Evidence) -> Iterator[Finding]:
    """Find targets that the last function of the architecture cannot return."""
    low, high = evidence.output_range
    y, members = evidence.y, len(evidence.y)
    outside = ((y < low) | (y > high)).double().mean().item()
    if outside > 0:
        yield (
            "targets out of range",
            members,
            f"{outside:.1%} of the targets, which reach from {y.min():.4g} to {y.max():.4g}, lie outside "
            f"[{low:g}, {high:g}], all that the last function can return: change the head or scale the targets",
        )


def stuck(evidence: Evidence) -> Iterator[Finding]:
    """Find gradients that are exactly zero, and gates that no longer move."""
    members = len(evidence.prediction)
    zero = (evidence.gradient == 0).all(0)
    if zero.any():
        yield (
            "zero gradient",
            int(zero.sum()),
            f"the gradient of {zero.sum()} of {members} unsolved members is exactly zero: "
            "nothing about them will change any more; change the start, or the function that cuts it off",
        )
    if evidence.gates is not None:
        distance = torch.minimum(evidence.gates, 1 - evidence.gates).amax(1)
        shut = distance < SATURATED
        if shut.any():
            yield (
                "saturated gate",
                int(shut.sum()),
                f"every gate of {shut.sum()} of {members} unsolved members lies within {SATURATED:g} of 0 or 1, "
                "where its gradient vanishes: the choice is made, and it is the wrong one; "
                "start the gates smaller, scale the inputs or lower the learning rate",
            )
