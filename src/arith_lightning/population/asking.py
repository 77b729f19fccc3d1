"""Numbers as people have them, on their way to a network: their names, and what is refused of them."""

from collections.abc import Sequence

from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.data.encoding import Preparation


def preparation(data: ArithmeticDataModule) -> Preparation | None:
    """Return what a dataset does to numbers before a network sees them; None where it does nothing."""
    found = getattr(data, "preparation", None)
    return found if isinstance(found, Preparation) else None


def names(data: ArithmeticDataModule) -> list[str]:
    """Return what a dataset calls its inputs; x1, x2, ... where it has no names."""
    own = preparation(data)
    return list(own.names) if own else [f"x{k + 1}" for k in range(data.in_features)]


def outputs(data: ArithmeticDataModule) -> list[str]:
    """Return what a dataset calls its outputs; y, or y1, y2, ... where it has no names."""
    own = list(data.output_names)
    return own or (["y"] if data.out_features == 1 else [f"y{k + 1}" for k in range(data.out_features)])


def prepared(data: ArithmeticDataModule, x: Tensor) -> Tensor:
    """Return what a network sees, `(n, in_features)`, of inputs `(n, inputs)` in the units of the dataset.

    Raises:
        ValueError: as `examine`.
    """
    examine(x, names(data), preparation(data), data.item_features)
    return data.prepare(x.mT).mT


def named(known: Sequence[str], item_features: int, count: int) -> Sequence[str]:
    """Return what `count` inputs are called: as they are known, but for examples of another number of items."""
    others = item_features > 0 and count > 0 and count % item_features == 0
    return [f"x{k + 1}" for k in range(count)] if others else known


def examine(x: Tensor, known: Sequence[str], own: Preparation | None, item_features: int) -> None:
    """Refuse inputs `(n, inputs)` that are none.

    Args:
        x: the inputs.
        known: what they are called.
        own: what is done to them before a network sees them.
        item_features: features of an item where examples have any number of items, else 0.

    Raises:
        ValueError: an example has not as many inputs as the dataset, or one that is no number, or cannot be shown.
    """
    known = named(known, item_features, x.shape[-1] if x.dim() else 0)
    fit = x.dim() == 2 and x.shape[1] == len(known)
    rule = f"inputs must have a row for each example and {len(known)} columns"
    require(fit, rule, f"the shape {tuple(x.shape)}", f"give {', '.join(known[:8])}")
    finite = x.isfinite().all(0)
    missing = ", ".join(name for name, there in zip(known, finite.tolist(), strict=True) if not there)
    require(not missing, "inputs must be finite numbers", f"others in {missing}", "drop these examples")
    if own:
        own.check(x.mT)
