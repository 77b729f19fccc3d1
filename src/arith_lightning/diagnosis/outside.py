"""Right on what was trained, wrong on what is asked."""

from torch import Tensor

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median

WORSE = 10.0
"""How many times larger an error must be, relative to the variance, to count as that of another range."""


@finding(certain=False)
def strange_inputs(e: Evidence) -> Seen | None:
    """An input that is always the same in training and not in what is asked.

    Its weights are left as they started, and answer at random where it changes: the top bit of numbers that are all
    small, say. Recognised by comparing training with what is asked, input by input.
    """
    return Seen(
        e.fits & lost(e) & bool(e.strange),
        lambda m: (
            "are right on what they are trained on and wrong on what is asked, where "
            f"{', '.join(e.strange[:5])} varies, which never did in training: train on examples in which it does"
        ),
    )


@finding()
def collinear_inputs(e: Evidence) -> Seen | None:
    """Two inputs that say the same in training, such as a length in metres and in feet, and not in what is asked.

    Many weights give the same answers on the training rows, none is preferred, and where the two differ they are
    answered at random. Recognised by a correlation next to 1 or -1 in training that is lower in what is asked.
    """
    return Seen(
        e.fits & lost(e) & bool(e.parted),
        lambda m: (
            f"are right on what they are trained on, where {' and '.join(e.parted)} say the same, and wrong on what is "
            "asked, where they do not: leave one out, or train on examples in which they differ"
        ),
    )


@finding("NMU", "NAU", "Real NPU", "squares")
def right_inside_wrong_outside(e: Evidence) -> Seen | None:
    """A network that is right in the range of its training and wrong beyond.

    Outside its data a network of ReLUs goes on as a straight line and one of tanh stays constant (Xu et al. 2021, How
    neural networks extrapolate), whatever the function. Recognised by an error beyond the range that is, as a share of
    the variance, at least ten times that inside.
    """
    return Seen(
        e.fits & lost(e) & (e.beyond > 0),
        lambda m: (
            f"are right in the range of their training (mean squared error {median(e.inside[m])}) and wrong outside "
            f"({median(e.outside[m])}; {e.beyond:.0%} of what is asked lies there): beyond its data a network goes on "
            "as a line or a constant; train on the whole range, or take a unit that has the operation"
        ),
    )


@finding("weight decay", "smaller start", "one layer", "wider")
def learnt_by_heart(e: Evidence) -> Seen | None:
    """A network that is right on the rows it was trained on and wrong on others from the same range.

    It has more freedom than the rows take away. Recognised where the rows are fixed, the error on them is small, and
    that on others from the same range is not.
    """
    return Seen(
        e.fits & lost(e) & (e.fixed and e.beyond == 0),
        lambda m: (
            f"know their training rows by heart (mean squared error {median(e.inside[m])}) and are wrong on others "
            f"({median(e.outside[m])}): more rows, weight decay or fewer weights"
        ),
    )


def lost(e: Evidence) -> Tensor:
    """Return which members are much worse on what is asked than on what they are trained on."""
    return e.outside / e.outside_variance > WORSE * e.inside / e.variance
