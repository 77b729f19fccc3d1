"""What members of one population have in common."""

from typing import Any

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


def _attributes(part: object) -> tuple[tuple[str, Any], ...]:
    values = ((key, value) for key, value in vars(part).items() if not key.startswith("_") and key != "seed")
    return tuple((key, _frozen(value)) for key, value in values if isinstance(value, (*Plain, dict)))


def _frozen(value: Any) -> Any:
    return tuple(sorted((k, repr(v)) for k, v in value.items())) if isinstance(value, dict) else value
