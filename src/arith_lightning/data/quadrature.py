"""Gauss quadrature over a sum of independent numbers, each from a mixture of intervals.

Source: Golub and Welsch, "Calculation of Gauss Quadrature Rules" (1969), section 4.
"""

import torch
from torch import Tensor

NODES = 5
"""Nodes of a sum; integrates polynomials up to degree 9 exactly."""


def sum_quadrature(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return nodes and weights, float64, of the sum of `count` numbers from intervals `(intervals, 2)`, equally likely.

    The moments of a sum are coefficients of a power of one number's generating function. Their Hankel matrix has a
    Cholesky factor that gives the Jacobi matrix, whose eigenvalues are the nodes.
    """
    if not count:
        return torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    mean = rows.mean()
    low, high = (rows - mean).unbind(-1)
    order = torch.arange(2 * NODES + 1, dtype=torch.float64)
    factorial = torch.exp(torch.lgamma(order + 1))
    own = torch.stack([((high**k - low**k) / (k * (high - low))).mean() for k in range(1, 2 * NODES + 2)])
    deviation = (count * own[2]).sqrt()
    moments = power(own / factorial / deviation**order, count) * factorial
    places = torch.arange(NODES + 1)
    upper = torch.linalg.cholesky(moments[places.unsqueeze(-1) + places]).mT
    diagonal, ratio = upper.diagonal(), upper.diagonal(1) / upper.diagonal()[:-1]
    beside = diagonal[1:-1] / diagonal[:-2]
    jacobi = torch.diag(ratio.diff(prepend=ratio.new_zeros(1))) + torch.diag(beside, 1) + torch.diag(beside, -1)
    nodes, vectors = torch.linalg.eigh(jacobi)
    return count * mean + deviation * nodes, vectors[0].square()


def power(series: Tensor, exponent: int) -> Tensor:
    """Return a power series, coefficients from the constant on, to a whole power, cut off at its length."""
    result = torch.zeros_like(series)
    result[0] = 1
    for _ in range(exponent):
        result = torch.stack([(result[: k + 1] * series[: k + 1].flip(0)).sum() for k in range(len(series))])
    return result
