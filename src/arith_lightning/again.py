"""Objects that can be built again with other arguments, so that whatever changes one meets the constructor's rules."""

import copy
import inspect
from typing import Any, Self, get_args

from arith_lightning.complaint import require

ARGUMENTS = "_arguments"
"""Attribute that keeps them."""
_known: dict[type, dict[str, inspect.Parameter]] = {}


class Again:
    """Remembers the arguments it was built with."""

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments; `copy` and `pickle` give none, and bring what was kept along.

        Raises:
            ValueError: an argument is nothing where its type has no nothing.
        """
        self = super().__new__(cls)
        known = parameters(cls)
        self.__dict__[ARGUMENTS] = dict(zip(known, args, strict=False)) | kwargs
        for name, value in self._arguments.items():
            if value is None and name in known:
                way_out = f"leave it out for {known[name].default}"
                require(may_be_none(known[name]), f"{name} must have a value", value, way_out)
        return self

    def again(self, **changes: Any) -> Self:
        """Return a new object of the same arguments but for `changes`.

        Raises:
            ValueError: the constructor refuses them.
        """
        return type(self)(**copy.deepcopy(self._arguments) | changes)


def may_be_none(argument: inspect.Parameter) -> bool:
    """Tell whether an argument's default or type is or has None, or nothing is known of either."""
    unknown = argument.annotation is argument.empty or isinstance(argument.annotation, str)
    return unknown or argument.default is None or type(None) in get_args(argument.annotation)


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    """Return what a constructor takes by name, with what it hands on to the classes that it extends."""
    if kind not in _known:
        found: dict[str, inspect.Parameter] = {}
        for part in kind.__mro__:
            if "__init__" in vars(part):
                own = dict(inspect.signature(vars(part)["__init__"]).parameters)
                found |= {name: argument for name, argument in own.items() if name not in found}
                if not any(argument.kind is argument.VAR_KEYWORD for argument in own.values()):
                    break
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        _known[kind] = {name: argument for name, argument in found.items() if argument.kind in named and name != "self"}
    return _known[kind]
