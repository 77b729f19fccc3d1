"""The equations of a network of layers that have a formula, one after the other."""

from collections.abc import Sequence

from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.layer import ArithmeticLayer

WAYS = ("forward", "polar")
"""Methods that decide what a layer computes: one that overrides them has not the formula of the layer it extends."""


def equations(network: nn.Module, names: Sequence[str], outputs: Sequence[str], x: Tensor | None = None) -> list[str]:
    """Return an equation for each number that a network computes; none where a part has no such reading.

    Numbers between layers are called h1, h2, ...

    Args:
        network: a layer, or several one after the other.
        names: what its inputs are called.
        outputs: what its outputs are called.
        x: examples `(n, in_features)`, by which gates that depend on them are judged.
    """
    parts = [part for part in flat(network) if not isinstance(part, nn.Identity)]
    found: list[str] = []
    for part in parts:
        right = expressions(part, names, x)
        last = part is parts[-1]
        if not right or (last and len(right) != len(outputs)):
            return []
        left = outputs if last else [f"h{len(found) + n + 1}" for n in range(len(right))]
        found += [f"{name} = {text}" for name, text in zip(left, right, strict=True)]
        names, x = left, None if x is None else part(x)
    return found


def flat(network: nn.Module) -> list[nn.Module]:
    """Return the parts of a sequence in their order; of anything else, it itself."""
    if not isinstance(network, nn.Sequential):
        return [network]
    return [part for inner in network for part in flat(inner)]


def expressions(part: nn.Module, names: Sequence[str], x: Tensor | None) -> list[str]:
    """Return the formula of each output of a part; none where it has no such reading."""
    if type(part) is nn.Linear:
        bias = [0.0] * part.out_features if part.bias is None else part.bias.tolist()
        return [wording.total(row, names, b) for row, b in zip(part.weight.tolist(), bias, strict=True)]
    if not isinstance(part, ArithmeticLayer):
        return []
    own = owner(part, "formula")
    return part.formula(names, x) if all(issubclass(own, owner(part, name)) for name in WAYS) else []


def owner(part: nn.Module, name: str) -> type:
    """Return the class that defines a method of a layer; the most general one where none does."""
    return next((kind for kind in type(part).__mro__ if name in vars(kind)), object)
