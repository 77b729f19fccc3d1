"""What a trained network computes, as equations between the columns of its data."""

from torch import Tensor

from arith_lightning.architectures import ArithmeticModule, wording
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.data.encoding import Affine, Encoding
from arith_lightning.population import Population, asking


def formula(population: Population, index: int) -> list[str]:
    """Return the equations of a member at its judged step, the last line on its weights; none without such a reading.

    Args:
        population: the members.
        index: which of them.
    """
    member = population.member(index)
    x, _ = population.examples(index, "extrapolation")
    found = told(member, population.data, x.mT.to(next(member.parameters())))
    weights = member.weights()
    return [*found, wording.off(weights)] if found and weights else found


def told(member: ArithmeticModule, data: ArithmeticDataModule, x: Tensor) -> list[str]:
    """Return the equations of a network between the inputs and outputs of its data, with their scaling.

    Args:
        member: the network.
        data: what it was trained on.
        x: examples as it sees them, `(n, in_features)`.
    """
    own, names, outputs = asking.preparation(data), asking.names(data), asking.outputs(data)
    if own is None:
        return member.formula(names, outputs, x)
    if any(isinstance(part, Encoding) for part in own.columns):
        return []
    inputs = [scaled(part, name) for part, name in zip(own.columns, names, strict=True) if isinstance(part, Affine)]
    plain = all(part == Affine() for part in own.targets)
    lines = member.formula(inputs, outputs if plain else [f"z{k + 1}" for k in range(len(outputs))], x)
    if plain or not lines:
        return lines
    back = zip(outputs, own.targets, strict=True)
    return lines + [f"{name} = {part.factor:.6g} z{k + 1} + {part.shift:.6g}" for k, (name, part) in enumerate(back)]


def scaled(part: Affine, name: str) -> str:
    """Return what a network sees of a column."""
    return name if part == Affine() else f"({name} - {part.shift:.6g}) / {part.factor:.6g}"
