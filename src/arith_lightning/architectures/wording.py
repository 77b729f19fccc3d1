"""Weights as a formula that one can read: `x1 * x2`, `x1 - 0.98 x2`, `|x1| / |x2|`.

A weight that is within `WHOLE` of a whole number is written as that number; `off` says how far each is. Expressions are
those of one output, over names of inputs; `|x|` is a magnitude and `[x < 0]` is 1 where x is negative, else 0.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

WHOLE = 0.01
"""Largest distance from a whole number at which a weight is written as it."""
LISTED = 12
"""So many distances are listed; of more, the largest."""


def written(value: float) -> str:
    """Return a number in short, whole where it nearly is."""
    near = round(value)
    return str(near) if abs(value - near) <= WHOLE else f"{value:.4g}"


def is_(value: float, whole: int) -> bool:
    """Return whether a number is written as this whole one."""
    return written(value) == str(whole)


def total(weights: Sequence[float], names: Sequence[str], bias: float = 0.0) -> str:
    """Return a weighted sum, terms of weight 0 left out."""
    text = ""
    for weight, name in [*zip(weights, names, strict=True), (bias, "")]:
        size = written(abs(weight))
        if size == "0":
            continue
        term = f"{size} {inner(name)}" if name and size != "1" else name or size
        sign = "-" if weight < 0 else "+"
        text += f" {sign} {term}" if text else (f"-{term}" if weight < 0 else term)
    return text or "0"


def times(factors: Sequence[str], below: Sequence[str] = ()) -> str:
    """Return a product of factors over another."""
    above = " * ".join(factors) or "1"
    return above + "".join(f" / {factor}" for factor in below)


def powers(weights: Sequence[float], names: Sequence[str]) -> str:
    """Return a product of powers, those of weight 0 left out."""
    above: list[str] = []
    below: list[str] = []
    for weight, name in zip(weights, names, strict=True):
        size = written(abs(weight))
        if size != "0":
            power = inner(name) if size == "1" else f"{inner(name)}^{size}"
            (below if weight < 0 else above).append(power)
    return times(above, below)


def selection(weights: Sequence[float], names: Sequence[str], factor: Callable[[float, str], str]) -> str:
    """Return a product of what each input brings in: it itself at a weight of 1, nothing at 0.

    Args:
        weights: the weights of the inputs.
        names: what they are called.
        factor: writes the factor of any other weight.
    """
    pairs = [(w, name) for w, name in zip(weights, names, strict=True) if not is_(w, 0)]
    above = [inner(name) if is_(w, 1) else factor(w, name) for w, name in pairs if not is_(w, -1)]
    return times(above, [inner(name) for w, name in pairs if is_(w, -1)])


def mixed(weight: float, name: str) -> str:
    """Return w x + 1 - w, which lets an input in by a share."""
    return f"({total([weight], [name], 1 - weight)})"


def magnitudes(names: Sequence[str]) -> list[str]:
    """Return |x| of each name."""
    return [f"|{name}|" for name in names]


def gated(gate: Tensor, index: int, said: str, add: str, mul: str) -> str:
    """Return a gated mixture of a sum and a product; one of them where the gate is open or shut for every example.

    Args:
        gate: gates of examples, `(n, outputs)`; none where they are not known.
        index: the output.
        said: the gate in words.
        add: the sum, of which the gate is the share.
        mul: the product.
    """
    if len(gate):
        low, high = gate[:, index].min().item(), gate[:, index].max().item()
        if low >= 1 - WHOLE or high <= WHOLE:
            return add if low >= 1 - WHOLE else mul
    return f"{said} * ({add}) + (1 - {said}) * ({mul})"


def inner(name: str) -> str:
    """Return a name in brackets where it is an expression of several."""
    return name if name.replace("_", "").isalnum() or name[0] + name[-1] in ("||", "()") else f"({name})"


def off(weights: dict[str, Tensor]) -> str:
    """Return how far each weight is from a whole number, in the order of the weights."""
    flat = [(value - value.round()).abs().item() for weight in weights.values() for value in weight.flatten()]
    if len(flat) > LISTED:
        return f"{len(flat)} weights, at most {max(flat):.1g} from whole numbers"
    return f"weights are {', '.join(f'{value:.1g}' for value in flat)} from whole numbers"
