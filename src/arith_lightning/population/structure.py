"""What members of one population have in common, and which tensor the name of a setting points to."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.dynamics import Dynamics

Plain = (int, float, str, bool, tuple, type(None))
_known: dict[Any, Dynamics] = {}


def signature(module: ArithmeticModule, data: ArithmeticDataModule) -> tuple[Any, ...]:
    """Return a hashable description of all that members of one population must share.

    That is every class, shape and plain attribute; buffers of a module and columns of a dataset may differ in value.
    """
    modules = tuple((name, type(part), _attributes(part)) for name, part in module.named_modules())
    tensors = tuple((name, tuple(t.shape)) for name, t in [*module.named_parameters(), *module.named_buffers()])
    columns = tuple((name, tuple(c.shape)) for name, c in data.columns().items())
    return modules, tensors, type(data), _attributes(data), columns


def dynamics(module: ArithmeticModule, data: ArithmeticDataModule) -> Dynamics:
    """Return the steps of members with this structure, compiled at most once a process."""
    key = signature(module, data)
    if key not in _known:
        _known[key] = Dynamics(module, data)
    return _known[key]


def locate(name: str, groups: Sequence[Mapping[str, Tensor]]) -> tuple[int, str]:
    """Return which group of tensors holds `name`, and under which full name: exact, or the one that ends in `.name`."""
    for index, group in enumerate(groups):
        if name in group:
            return index, name
        matches = [key for key in group if key.endswith(f".{name}")]
        if len(matches) == 1:
            return index, matches[0]
    known = sorted({key.rpartition(".")[2] for group in groups for key in group})
    raise ValueError(
        f"a setting must name a scalar that may differ between members; got {name!r}; expected one of {known}"
    )


def _attributes(part: object) -> tuple[tuple[str, Any], ...]:
    values = ((key, value) for key, value in vars(part).items() if not key.startswith("_") and key != "seed")
    return tuple((key, _frozen(value)) for key, value in values if isinstance(value, (*Plain, dict)))


def _frozen(value: Any) -> Any:
    return tuple(sorted((k, repr(v)) for k, v in value.items())) if isinstance(value, dict) else value
