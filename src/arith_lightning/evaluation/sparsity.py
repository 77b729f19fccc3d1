"""Sparsity error: how far the least discrete weight is from -1, 0 or 1."""

from collections.abc import Iterable

import torch
from torch import Tensor


def sparsity_error(weights: Iterable[Tensor]) -> Tensor:
    """Return max over all weights of min(|W|, |1 - |W||), a scalar; NaN without weights.

    Source: Madsen and Johansen, "Measuring Arithmetic Extrapolation Performance" (2019), section 3.
    """
    distances = [torch.minimum(w.abs(), (1 - w.abs()).abs()).max() for w in weights]
    return torch.stack(distances).max() if distances else torch.tensor(torch.nan)
