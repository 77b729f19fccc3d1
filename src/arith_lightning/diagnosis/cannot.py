"""What the architecture cannot do, whatever its weights, its rate and its steps."""

import torch
from torch import Tensor

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median

NEAR = 0.05
"""Distance of two inputs, as a share of their typical size, below which they count as one."""
POOR = 0.5
"""Share of the variance above which a linear map counts as no answer."""


@finding("squares", "sine", "NMU", "residual", certain=True)
def linear_network(e: Evidence) -> Seen | None:
    """A linear network, and a target that no linear map reaches.

    Recognised by fresh networks of the architecture, which are straight lines through any two inputs; what the best of
    them would do is found without training, by least squares, or of classes by logistic regression. It happens where
    there is no hidden layer, no activation between two layers, or in a unit of sums such as the NAC that is asked for a
    product. XOR is the oldest example (Minsky and Papert, Perceptrons, 1969).
    """
    if not e.family.linear:
        return None
    x, y = e.x.double(), e.y.double()
    ones = torch.ones_like(x[:, :1]) if e.family.symmetry == 0 else x[:, :0]
    rows = torch.cat([x, ones], dim=1).mT
    best = (rows @ torch.linalg.lstsq(rows, y.mT, driver="gelsd").solution).mT
    error = e.least(best)
    if e.share:
        error = torch.minimum(error, logistic(e))
    no_map = e.wrong & (error >= e.threshold)
    return Seen(
        no_map,
        lambda m: (
            f"are linear maps of their inputs, the best of which has an error of {median(error[m])}, by "
            f"{'logistic regression' if e.share else 'least squares'}; theirs is {median(e.fit_error[m])}: no rate and "
            "no start will help; it takes a hidden layer with an activation, or a unit that has the operation"
        ),
    )


def logistic(e: Evidence) -> Tensor:
    """Return the error of logistic regression on each member's examples; infinite where it is none of 0 and 1."""
    from sklearn.linear_model import LogisticRegression  # half a second, seldom needed

    found: dict[int, Tensor] = {}
    errors = []
    for x, y in zip(e.x, e.y, strict=True):
        if x.data_ptr() not in found:
            whole = y.argmax(0) if e.classes or len(y) > 1 else (y[0] > 0.5).long()
            if len(whole.unique()) < 2:
                return torch.full_like(e.fit_error, torch.inf)
            model = LogisticRegression(C=1e6, max_iter=300).fit(x.mT.numpy(), whole.numpy())
            guess = torch.from_numpy(model.predict(x.mT.numpy()))
            found[x.data_ptr()] = torch.nn.functional.one_hot(guess, len(y)).mT if len(y) > 1 else guess[None]
        errors.append(e.judge(found[x.data_ptr()].to(y), y))
    return torch.stack(errors)


@finding("bias", "squares", "relu", certain=True)
def symmetric_network(e: Evidence) -> Seen | None:
    """A network that is odd, f(-x) = -f(x), or even, and a target that is not.

    Recognised by fresh networks, and by pairs of training inputs x and -x: an odd function that answers y at the one
    answers -y at the other, so its error at both is at least that of their mean. Layers without bias and with tanh or
    sin are odd, layers without bias and with squares even.
    """
    if e.family.symmetry == 0 or not e.wrong.any():
        return None
    x, y = e.example
    least = mirrored(x, y, e.family.symmetry)
    what, law = ("odd", "-f(x)") if e.family.symmetry < 0 else ("even", "f(x)")
    return Seen(
        e.wrong & (least > 0.05 * y.square().mean()),
        lambda m: (
            f"are {what}, f(-x) = {law}, whatever their weights, and the targets are not: no {what} function has a "
            f"mean squared error below {least:.3g} (theirs is {median(e.inside[m])}): give the layers a bias, "
            "or take another activation"
        ),
    )


def mirrored(x: Tensor, y: Tensor, symmetry: int) -> Tensor:
    """Return the least mean squared error of a function with this symmetry; 0 where too few inputs have a mirror image.

    Args:
        x: inputs `(in_features, examples)`.
        y: targets `(out_features, examples)`.
        symmetry: -1 of odd functions, 1 of even ones.
    """
    distance, partner = torch.cdist(-x.mT, x.mT).min(1)
    close = distance <= NEAR * x.square().sum(0).mean().sqrt()
    if close.double().mean() < 0.5:
        return torch.zeros((), dtype=torch.float64)
    return ((y - symmetry * y[:, partner])[:, close] / 2).square().mean()


@finding("NMU", "Real NPU", "iNALU", certain=True)
def sign_lost(e: Evidence) -> Seen | None:
    """Units that multiply through logarithms, and inputs of both signs.

    A product is the exponential of a sum of logarithms, and the logarithm of a negative number is taken of its
    magnitude, so the sign is lost: the NALU's products are never negative (Trask et al. 2018, equation 4; Schloer et
    al. 2020, section 3). Recognised by inputs and targets of both signs where sums do not do either.
    """
    if not e.family.signless:
        return None
    x, y = e.x.double(), e.y.double()
    both = (x.amin(2) < 0).any(1) & (y.amin(2) < 0).any(1) & (y.amax(2) > 0).any(1)
    rows = torch.cat([x, torch.ones_like(x[:, :1])], dim=1).mT
    best = (rows @ torch.linalg.lstsq(rows, y.mT, driver="gelsd").solution).mT
    sums = (best - y).square().mean((1, 2)) < POOR * y.var(2, correction=0).mean(1)
    share = (y < 0).double().mean()
    return Seen(
        e.wrong & both & ~sums,
        lambda m: (
            "multiply through logarithms of magnitudes, which have no sign, so no product of theirs is negative, and "
            f"{share:.0%} of the targets are: train on positive inputs, or take a unit that keeps the sign"
        ),
    )
