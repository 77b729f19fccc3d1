"""What is exported, and the small dataset that an architecture names for its own tests."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from arith_lightning import architectures as architecture_package
from arith_lightning import data as data_package
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule


def architectures() -> list[type[ArithmeticModule]]:
    """Return every exported architecture that is whole without an argument: a new one is tested by its export."""
    exported = [getattr(architecture_package, name) for name in architecture_package.__all__]
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, ArithmeticModule)]
    return [kind for kind in kinds if kind is not ArithmeticModule and not needs(kind)]


def datasets() -> list[type[ArithmeticDataModule]]:
    """Return every exported dataset that can be built without an argument; others have tests of their own."""
    exported = [getattr(data_package, name) for name in data_package.__all__]
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, ArithmeticDataModule)]
    return [kind for kind in kinds if kind is not ArithmeticDataModule and not needs(kind)]


def needs(kind: type) -> bool:
    """Return whether a class has an argument without a default."""
    own = inspect.signature(kind).parameters.values()
    return any(argument.default is argument.empty and argument.kind != argument.VAR_KEYWORD for argument in own)


def task_for(module: ArithmeticModule | type[ArithmeticModule]) -> ArithmeticDataModule:
    """Return a small dataset whose inputs an architecture takes, as its `example` names it."""
    example: Mapping[str, Any] = module.example
    package, _, name = example["class_path"].rpartition(".")
    kind = getattr(import_module(package) if package else data_package, name)
    built: ArithmeticDataModule = kind(**example.get("init_args", {}))
    return built
