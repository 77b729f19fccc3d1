"""One rule for the name of a setting: it is an argument of the module's or the dataset's constructor.

Its tensors are all those that bear this name in what the constructor builds with the setting's values, so the value
goes where the argument's goes, and is refused as the argument's is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from arith_lightning.again import parameters
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.complaint import nearest, require
from arith_lightning.data import ArithmeticDataModule

Part = ArithmeticModule | ArithmeticDataModule
Setting = Mapping[str, Any]


def tensors(part: Part) -> dict[str, Tensor]:
    """Return what may differ between members of one population, by full name: buffers or columns."""
    if not isinstance(part, ArithmeticModule):
        return part.columns()
    constants = part.constants()
    return {name: buffer for name, buffer in part.named_buffers() if name not in constants}


def scalars(part: Part) -> set[str]:
    """Return the constructor's arguments that such tensors are named after."""
    return parameters(type(part)).keys() & set(map(last, tensors(part)))


def rows(part: Part, settings: Sequence[Setting]) -> list[dict[str, Tensor]]:
    """Return the tensors of a part under each setting, each in the shape that it has in `part`.

    Args:
        part: the module or the dataset.
        settings: values by name of an argument; names of the other part are passed over. A tensor under its own full
            name is taken as it is.

    Raises:
        ValueError: the constructor refuses a value, or a range has too many intervals.
    """
    known, names = tensors(part), scalars(part)
    found = []
    for setting in settings:
        changes = {name: value for name, value in setting.items() if name in names and not isinstance(value, Tensor)}
        built = tensors(part.again(**changes)) if changes else {}
        values = {name: value for name, value in built.items() if last(name) in changes}
        values |= {name: value for name, value in setting.items() if name in known and isinstance(value, Tensor)}
        found.append(known | {name: shaped(name, value, known[name].shape) for name, value in values.items()})
    return found


def columns(part: Part, settings: Sequence[Setting], members: int) -> dict[str, Tensor]:
    """Return the same by name, with a leading axis of members: so many of each setting, one setting after the other."""
    found = rows(part, settings)
    return {name: torch.stack([row[name] for row in found]).repeat_interleave(members, dim=0) for name in found[0]}


def shaped(name: str, value: Tensor, shape: torch.Size) -> Tensor:
    """Return a value in a shape; a single interval stands for each of several."""
    try:
        return value.double().expand(shape).clone()
    except RuntimeError as error:
        raise ValueError(
            f"the setting {last(name)} must have the shape of the experiment's, {tuple(shape)}; got {value.tolist()}; "
            "give each as many intervals as the experiment has"
        ) from error


def check(settings: Sequence[Setting], *parts: Part) -> None:
    """Refuse names that no part knows.

    Raises:
        ValueError: a name is not that of an argument whose value may differ between members.
    """
    known = sorted({name for part in parts for name in scalars(part)})
    for setting in settings:
        for name, value in setting.items():
            require(
                name in known or isinstance(value, Tensor),
                "a setting must name an argument whose value may differ between members",
                f"{name!r}{nearest(str(name), known)}",
                f"expected one of {', '.join(known)}",
            )


def last(name: str) -> str:
    """Return the last part of a full name."""
    return name.rpartition(".")[2]
