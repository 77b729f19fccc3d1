"""Targets that a network cannot answer, or not as they are."""

import torch

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median

LARGE = 10.0
"""Size of targets from which a network that starts near 0 has far to go."""
NARROW = 0.2
"""Share of a bounded head's range below which targets are squeezed."""
FEW = 3
"""Inputs up to which neighbours tell whether a target is smooth."""


@finding("linear head", "right loss", "scale targets", certain=True)
def targets_out_of_range(e: Evidence) -> Seen | None:
    """Targets that the last function cannot return: a sigmoid's 1.2, a ReLU's -3, a square's -1.

    Recognised by the head's range, and by the values that fresh networks of the architecture return anywhere. The
    error stays at what the nearest value that can be returned leaves.
    """
    low, high = e.family.low, e.family.high
    outside = ((e.y < low) | (e.y > high)).double().mean((1, 2))
    return Seen(
        e.alive & (outside > 0.005),
        lambda m: (
            f"can only answer in [{low:g}, {high:g}], and {outside[m].median():.1%} of the targets, which reach from "
            f"{e.y.min():.4g} to {e.y.max():.4g}, lie outside: take another head, or scale the targets into it"
        ),
    )


@finding(certain=True)
def contradictory_rows(e: Evidence) -> Seen | None:
    """Rows with the same inputs and different targets.

    Recognised by grouping equal inputs: the best any function can do is the mean of each group. It happens where an
    input that decides is missing, or where rows were measured with noise.
    """
    if not e.fixed:
        return None
    places, count = torch.unique(e.x[0], dim=1, return_inverse=True)[1], e.x.shape[2]
    groups = int(places.max()) + 1
    size = torch.bincount(places, minlength=groups)
    y = e.y.double()
    mean = torch.zeros(*y.shape[:2], groups, dtype=y.dtype).index_add_(2, places, y) / size
    best = mean[..., places]
    least = (best - y).square().mean((1, 2))
    torn = int(((best - y).abs().amax((0, 1)) > 1e-6 * y.abs().max()).sum())
    return Seen(
        e.wrong & (e.least(best) >= e.threshold) & (least > 0),
        lambda m: (
            f"are asked for several answers to the same inputs: {torn} of {count} rows share theirs with a row whose "
            f"target differs, so no function has a mean squared error below {median(least[m])} on what it is trained "
            "on: add the input that tells them apart, or expect no less"
        ),
    )


@finding(certain=True)
def out_of_precision(e: Evidence) -> Seen | None:
    """A threshold below what rounding alone makes of numbers of this size.

    Single precision knows a number to one part in 2^24; targets of 10^4 are then off by 3e-4, whose square is above
    many a threshold. Recognised where the threshold is lower than that and the error is near it.
    """
    below = (e.threshold < e.rounding) & (e.outside < 1e4 * e.rounding)
    return Seen(
        e.alive & below,
        lambda m: (
            f"are asked for a mean squared error below {median(e.threshold[m])}, where rounding alone makes "
            f"{e.rounding:.3g} of numbers of this size: train in double precision (--trainer.precision 64-true), or "
            "ask for less"
        ),
    )


@finding("bits", "sine")
def jagged_target(e: Evidence) -> Seen | None:
    """A target that has nothing to do with that of the nearest inputs, such as even or odd from the number itself.

    Networks learn smooth functions first (Rahaman et al. 2019, on the spectral bias), and of such a target they learn
    the mean. Recognised, of up to three inputs, by the nearest other example, which answers worse than the mean would.
    """
    x, y = e.example
    if len(x) > FEW or bool(((x == 0) | (x.abs() == 1)).all()) or not e.wrong.any():
        return None
    ratio = neighbours(x, y)
    return Seen(
        e.wrong & (ratio > 1.8),
        lambda m: (
            "see a target that jumps from each input to the next (the nearest other example's answer is "
            f"{ratio:.3g} times as wrong as the mean's), of which a network learns the mean: show it the input "
            "in other ways, as bits, digits or sines"
        ),
    )


def neighbours(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the error of answering as the nearest different input does, as a share of the variance."""
    distance = torch.cdist(x.mT, x.mT)
    distance[distance == 0] = torch.inf
    variance = y.var(1, correction=0).mean()
    nearest = distance.argmin(1)
    wrong = (y - y[:, nearest]).square().mean()
    return torch.where(variance > 0, wrong / variance, 0.0)


@finding("scale both", "adam and scaling", "linear head", "scale targets")
def unscaled_targets(e: Evidence) -> Seen | None:
    """Targets far from the size of what a network answers at its start.

    Networks start with answers of about 1 and are moved by about the learning rate a step, so targets of thousands are
    far away, and their squared errors make gradients that no rate suits. Recognised by the size of the targets where
    the error is still a large share of it. In a bounded head the reverse: targets that fill a small part of its range.
    """
    if not e.affine:
        return None
    y = e.y.double()
    size, low, high = y.square().mean((1, 2)).sqrt(), e.family.low, e.family.high
    far = size > LARGE
    squeezed = ((y.amax((1, 2)) - y.amin((1, 2))) / (high - low) < NARROW) if high - low < torch.inf else far & False
    reach = f"from {e.y.min():.4g} to {e.y.max():.4g}"
    return Seen(
        e.wrong & ~e.constant & (far | squeezed),
        lambda m: (
            f"have targets that reach {reach}, "
            + ("a small part of what the head can return" if squeezed[m].any() else "far from what a network starts at")
            + ": scale them (--data.init_args.scale_targets), errors are still told in their own units"
        ),
    )
