"""Products and sums over a layer's inputs that compilers can fuse and no member of a population can leak through.

`torch.prod` has a backward pass that changes its formula for the whole tensor as soon as one element is zero, which
lets one member of a population change the bits of all others; multiplication has not, and is faster.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

UNROLLED = 8
"""Up to this fan-in the inputs are spelled out one by one, which fuses into a single loop over examples."""
ROWS = 16
"""Up to this many outputs of a wide layer are computed one by one."""


def multiply(factors: Sequence[Tensor]) -> Tensor:
    """Multiply tensors of equal shape, pairwise halving."""
    while len(factors) > 1:
        pairs = [a * b for a, b in zip(factors[::2], factors[1::2], strict=False)]
        factors = pairs + list(factors[2 * len(pairs) :])
    return factors[0]


def selected(weight: Tensor, x: Tensor) -> Tensor:
    """Return w x + 1 - w, elementwise: a weight of 1 lets x into a product, a weight of 0 leaves it out."""
    return weight * x + (1 - weight)


def product(factor: Callable[[Tensor, Tensor], Tensor], weight: Tensor, x: Tensor) -> Tensor:
    """Multiply `factor(weight, x)` over the inputs: weight `(out, in)`, x `(..., in)` -> `(..., out)`."""
    if weight.shape[-1] <= UNROLLED:
        return multiply([factor(w, x_i.unsqueeze(-1)) for w, x_i in zip(weight.unbind(-1), columns(x), strict=True)])
    factors = factor(weight, x.unsqueeze(-2))
    while factors.shape[-1] > 1:
        factors = torch.nn.functional.pad(factors, (0, factors.shape[-1] % 2), value=1.0)
        half = factors.shape[-1] // 2
        factors = factors[..., :half] * factors[..., half:]
    return factors.squeeze(-1)


def columns(x: Tensor) -> list[Tensor]:
    """Return every input of `(..., in)`; unlike `unbind`, its gradient is not written out with inputs innermost."""
    return [x[..., i] for i in range(x.shape[-1])]


def dot(weight: Tensor, x: Tensor) -> Tensor:
    """Sum `weight * x` over the inputs: weight `(out, in)`, x `(..., in)` -> `(..., out)`."""
    if weight.shape[-1] > UNROLLED:
        return linear(weight, x)
    return sum(  # type: ignore[return-value]
        w * x_i.unsqueeze(-1) for w, x_i in zip(weight.unbind(-1), columns(x), strict=True)
    )


def linear(weight: Tensor, x: Tensor) -> Tensor:
    """Return W x for many inputs: weight `(out, in)`, x `(..., in)` -> `(..., out)`, with examples innermost in memory.

    Of a single example, as a population maps small layers, a few outputs are computed one by one: mapped over members
    that share their examples, the product for one output is a single product of two matrices, where that for all
    outputs at once would be as many as there are members.
    """
    if x.dim() > 1:
        return (weight @ x.flatten(0, -2).mT).mT.unflatten(0, x.shape[:-1])
    if weight.shape[-2] > ROWS:
        return weight @ x
    return torch.stack([x @ w for w in weight.unbind(-2)], -1)
