"""What members of one population have in common, and who may share compiled steps.

Everything that a module or a dataset holds counts, whatever its name or type: what cannot be compared by its content is
compared as an object, so two things share their steps only where nothing tells them apart.
"""

import copy
import enum
import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule, LightningModule
from torch import Tensor, nn

from arith_lightning.again import ARGUMENTS
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population import trial
from arith_lightning.population.dynamics import Dynamics

SCAFFOLDING = frozenset({*vars(LightningModule()), *vars(nn.Module()), *vars(LightningDataModule()), ARGUMENTS})
"""Attributes that the frameworks keep for themselves, and what was made of the constructor's arguments counts instead
of these; parameters and buffers are described by name and shape."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks")
"""Of these, the ones through which others change what a module computes."""
PLAIN = (int, float, complex, str, bytes, bool, type(None), torch.dtype, torch.device, enum.Enum, range)


class Same:
    """An object that equals nothing but itself; kept alive, so that its place in memory is not another's later."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        kind = self.value if hasattr(self.value, "__qualname__") else type(self.value)
        return f"{kind.__module__}.{kind.__qualname__}"


def signature(module: ArithmeticModule, data: ArithmeticDataModule) -> dict[str, Any]:
    """Return, by name, all that members of one population must share, each value comparable and hashable.

    That is every class, shape and attribute; buffers of the module and columns of the dataset may differ in value.
    """
    columns = data.columns()
    free = {id(column): name for name, column in columns.items()}
    found: dict[str, Any] = {"model": named(type(module)), "data": named(type(data))}
    for name, part in module.named_modules():
        prefix = f"model.{name}" if name else "model"
        found[prefix] = named(type(part))
        found |= {f"{prefix}.{key}": frozen(value, {}) for key, value in attributes(part, {"seed"})}
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        found[f"model.{name}"] = tuple(tensor.shape)
    found |= {f"model.{name}": frozen(value, {}) for name, value in module.constants().items()}
    found |= {f"data.{key}": frozen(value, free) for key, value in attributes(data, data.transient)}
    return found | {f"data column {name}": tuple(column.shape) for name, column in columns.items()}


def attributes(part: object, transient: set[str] | frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield what an object holds, but for the frameworks' own and what does not decide about its steps."""
    for key, value in vars(part).items():
        if key not in transient and (key not in SCAFFOLDING or (key in HOOKS and value)):
            yield key, value


def named(kind: type) -> str | Same:
    """Return a class by its full name; one that was made inside a function only equals itself."""
    return Same(kind) if "<locals>" in kind.__qualname__ else f"{kind.__module__}.{kind.__qualname__}"


def frozen(value: Any, free: Mapping[int, str]) -> Any:
    """Return a hashable stand-in that equals that of another value only where the two have the same content.

    Args:
        value: anything.
        free: names, by identity, of tensors that may differ in value.
    """
    within = functools.partial(frozen, free=free)
    if isinstance(value, Tensor):
        if id(value) in free:
            return f"column {free[id(value)]}", tuple(value.shape)
        return content(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()), *facts(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return content(value), *facts(value)
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, type):
        return named(value)
    if isinstance(value, list | tuple):
        return named(type(value)), *map(within, value)
    if isinstance(value, set | frozenset):
        return named(type(value)), frozenset(map(within, value))
    if type(value) is dict:
        return "dict", *((within(key), within(item)) for key, item in value.items())
    if isinstance(value, functools.partial):
        return "partial", within(value.func), within(value.args), within(value.keywords)
    if is_dataclass(value):
        return named(type(value)), *((field.name, within(getattr(value, field.name))) for field in fields(value))
    return Same(value)


def facts(value: Tensor | np.ndarray) -> tuple[str, tuple[int, ...]]:
    """Return an array's type and shape."""
    return str(value.dtype), tuple(value.shape)


def content(array: np.ndarray) -> str:
    """Return a digest of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


_known: dict[Any, Dynamics] = {}


def dynamics(module: ArithmeticModule, data: ArithmeticDataModule) -> Dynamics:
    """Return the steps of members with this structure, compiled at most once a process."""
    key = tuple(signature(module, data).items())
    if key not in _known:
        # copies, which nobody can change afterwards; a trainer is none of them
        trial.examine(module, data)
        _known[key] = Dynamics(module, copy.deepcopy(data, {id(data.trainer): None}))
    return _known[key]
