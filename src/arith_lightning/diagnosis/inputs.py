"""Inputs that a network cannot take as they are."""

import torch
from torch import Tensor

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median

LARGE = 10.0
"""Size of inputs from which scaling may be the cause."""
STEEP = 1e4
"""Ratio of the largest to the least curvature from which a first layer trains at two speeds."""


def steepness(x: Tensor) -> Tensor:
    """Return the ratio of the extreme eigenvalues of the second moments `(members,)` of inputs and a bias."""
    rows = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    values = torch.linalg.eigvalsh(rows @ rows.mT / rows.shape[2])
    return values[:, -1] / values[:, 0].clamp(min=1e-12 * values[:, -1])


def standard(x: Tensor) -> Tensor:
    """Return inputs with mean 0 and standard deviation 1 each."""
    return (x - x.mean(2, keepdim=True)) / x.std(2, correction=0, keepdim=True).clamp(min=1e-30)


@finding("scale both", "scale inputs", "bits")
def unscaled_inputs(e: Evidence) -> Seen | None:
    """Inputs far from 1 that enter an affine layer as they are.

    The curvature of a first layer's error is that of its inputs' second moments, so a rate that is stable along the
    largest is slow along the others (LeCun et al., Efficient BackProp, 1998, section 4.3), and units that saturate do
    so at once. Recognised where inputs are large, and either the ratio of curvatures is, which scaling would mend, or
    the first units are saturated.
    """
    if not e.affine:
        return None
    x = e.x.double()
    ratio, scaled = steepness(x), steepness(standard(x))
    first = next(iter(e.units), None)
    flat = saturation(e.units[first], e.kinds[first]) > 0.5 if first else torch.zeros_like(e.wrong)
    cause = (e.size > LARGE) & ((ratio > STEEP) & (ratio > 100 * scaled) | flat)
    return Seen(
        e.wrong & cause,
        lambda m: (
            f"have inputs of up to {e.size[m].max():.4g} that enter an affine layer as they are, so its error is "
            f"{median(ratio[m])} times as steep in one direction as in another"
            + (", and most of its units are saturated" if flat[m].any() else "")
            + ": scale them (--data.init_args.scale_inputs)"
        ),
    )


def saturation(units: Tensor, kind: str) -> Tensor:
    """Return the share of a layer's outputs `(members, units, examples)` that lie where the activation is flat."""
    ends = {"Tanh": (-1, 1), "Softsign": (-1, 1), "Hardtanh": (-1, 1), "Sigmoid": (0, 1), "ReLU6": (6, 6)}
    if kind not in ends:
        return torch.zeros(len(units), dtype=torch.float64)
    low, high = ends[kind]
    flat = ((units - low).abs() < 0.005) | ((units - high).abs() < 0.005)
    return flat.double().mean((1, 2))
