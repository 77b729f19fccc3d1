"""Units, gates and gradients that have stopped working."""

import torch

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median
from arith_lightning.diagnosis.inputs import saturation

SHUT = 1e-3
"""Distance of a gate from 0 or 1 below which its gradient has all but vanished."""
SATURATED = 0.8
"""Share of a layer's outputs on the flat part of the activation from which the layer counts as saturated."""
DEAD, FEW = 0.4, 4
"""Share of a layer's units that answer 0 to every example from which they are told, if no more than so many live on."""
FADED, GROWN = 1e-2, 30.0
"""Ratios of the first layer's gradient to the last one's from which it has vanished, and from which it has exploded."""
CUT = ("ReLU", "ReLU6")
"""Activations that are 0, with their gradient, on half of the line."""


@finding("rate /10", "tanh", "linear head", "he start", certain=True)
def dead_output(e: Evidence) -> Seen | None:
    """A network that answers the same to everything and whose gradient is exactly zero.

    Nothing about it will change any more. A last ReLU that is off for every input does it, and a hidden layer all of
    whose ReLUs are (Lu et al. 2019, Dying ReLU and Initialization), after a step that was too large or from the start.
    Recognised by answers that are one value, and by the gradient.
    """
    return Seen(
        e.constant & e.still,
        lambda m: (
            f"answer {median(e.answer[m].double().mean((1, 2)))} to every input with a gradient of exactly zero, so "
            "nothing about them will change any more: take a lower rate, another start, or an activation that passes "
            "a gradient everywhere"
        ),
    )


@finding("rate /10", "scale both", "smaller start")
def constant_output(e: Evidence) -> Seen | None:
    """A network that answers the same to everything, though its gradient is not zero.

    Units or the head are so far out on their flat parts that inputs make no difference, or all paths from the inputs
    have been cut and only the last bias still learns. Recognised by answers that are one value.
    """
    return Seen(
        e.constant & ~e.still,
        lambda m: (
            f"answer {median(e.answer[m].double().mean((1, 2)))} to every input: nothing of x reaches the output any "
            "more; take a lower rate, scaled inputs, or a smaller start"
        ),
    )


@finding("scale inputs", "rate /10", "iNALU")
def saturated_gates(e: Evidence) -> Seen | None:
    """Gates that are all at 0 or 1, where they have no gradient, in a network that is wrong.

    The choice between adding and multiplying is made, and it is the wrong one (Schloer et al. 2020, section 3.2, on the
    NALU). Recognised where every gate of a member lies within 0.001 of 0 or 1.
    """
    if e.gates is None:
        return None
    shut = torch.minimum(e.gates, 1 - e.gates).amax(1) < SHUT
    return Seen(
        e.wrong & shut,
        lambda m: (
            f"have every gate within {SHUT:g} of 0 or 1, where its gradient vanishes: the choice between the two ways "
            "of computing is made, and it is the wrong one; start the gates nearer to 1/2, or take a lower rate"
        ),
    )


@finding("scale inputs", "smaller start", "relu", "rate /10")
def saturated_units(e: Evidence) -> Seen | None:
    """Hidden units on the flat part of their activation for nearly every input.

    A tanh of 5 passes a ten-thousandth of the gradient. Large weights at the start, large inputs, or a step that was
    too large bring them there (Glorot and Bengio 2010, section 3). Recognised by a layer of which four fifths of the
    answers lie within 0.005 of an end.
    """
    shares = {name: saturation(units, e.kinds[name]) for name, units in e.units.items()}
    if not shares:
        return None
    most = torch.stack(list(shares.values())).amax(0)
    return Seen(
        e.wrong & (most > SATURATED),
        lambda m: (
            f"have a hidden layer of which {most[m].median():.0%} of the answers lie on the flat part of the "
            "activation, where hardly any gradient passes: scale the inputs, start smaller, or take a lower rate"
        ),
    )


@finding("adam and tanh", "one layer", "tanh", "relu", "residual", "he start")
def vanishing_gradient(e: Evidence) -> Seen | None:
    """A gradient that is all but gone when it has come back to the first layer.

    Each sigmoid passes at most a quarter of it (Hochreiter 1991; Glorot and Bengio 2010). Recognised by the gradient of
    the first layer, which is less than a hundredth of the last one's, a weight for a weight.
    """
    if len(e.gradient) < 3:
        return None
    ratio = e.way_back
    return Seen(
        e.wrong & (ratio > 0) & (ratio < FADED),
        lambda m: (
            f"have a gradient in the first of {len(e.gradient)} layers that is {median(ratio[m])} of the last one's: "
            "it vanishes on the way back; take fewer layers, tanh or ReLU instead of sigmoids, or residual paths"
        ),
    )


@finding("clip gradients", "rate /10", "smaller start", "orthogonal start", "residual")
def exploding_gradient(e: Evidence) -> Seen | None:
    """A gradient that grows on its way back to the first layer, so that no rate suits both ends.

    Weights of more than the critical size multiply it at every layer (Pascanu, Mikolov and Bengio 2013). Recognised by
    a first layer whose gradient is more than thirty times the last one's, a weight for a weight, where inputs are
    not large themselves.
    """
    if len(e.gradient) < 3:
        return None
    ratio = e.way_back
    return Seen(
        e.wrong & (ratio > GROWN) & (ratio > GROWN * e.size.square()),
        lambda m: (
            f"have a gradient in the first of {len(e.gradient)} layers that is {median(ratio[m])} times the last "
            "one's: it explodes on the way back; clip it, start smaller or orthogonal, or take residual paths"
        ),
    )


@finding("wider", "tanh", "he start", "scale both", "squares")
def dead_hidden_units(e: Evidence) -> Seen | None:
    """Hidden units that answer 0 to every input, some of a layer or all.

    A ReLU that is off for all examples has no gradient and stays off, and a small layer that has lost some units is too
    small for the task (Lu et al. 2019). Recognised where they are two fifths of a layer or
    more and hardly any live on; in a wide layer that many are off at the start, and do no harm.
    """
    share, lost, told = torch.zeros(len(e), dtype=torch.float64), torch.zeros(len(e), dtype=torch.long), e.diverged
    for name, units in e.units.items():
        if e.kinds[name] in CUT:
            count, dead = units.shape[1], (units <= 0).all(2).sum(1)
            told = told | ((dead >= DEAD * count) & (count - dead <= FEW))
            share, lost = torch.maximum(share, dead / count), torch.maximum(lost, dead)
    return Seen(
        e.wrong & told,
        lambda m: (
            f"have lost hidden units: {lost[m].double().median():.0f} of a layer ({share[m].median():.0%}) answer 0 to "
            "every input and have no gradient left; take more units, or an activation that passes a gradient "
            "everywhere"
        ),
    )
