"""A wrong argument gets one or two lines: the rule, the value, the way out, and the nearest key that exists."""

import difflib
import inspect
import re
from argparse import ArgumentError
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from lightning import Trainer

from arith_lightning import architectures, data
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.complaint import nearest
from arith_lightning.data import ArithmeticDataModule

UNKNOWN_KEY = re.compile(r"""(?:[Uu]nrecognized arguments:|accept option|Option)\s+-*['"]?([\w.]+)""")
UNKNOWN_CLASS = re.compile(r"(?:import path string|Import path)[^:]*:\s*([\w.]+)")
SCAFFOLDING = re.compile(
    r"^(Does not validate|Subtypes:|Errors:|Given value|- Expected a <class 'NoneType'>"
    r"|- Problem with given class_path|Parser key \"(model|data)\":$)"
)
"""Lines of the parser's messages that speak of its own machinery."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn whatever parsing and building raise into a `ValueError` with a short message."""
    try:
        yield
    except (ArgumentError, ValueError, TypeError, OSError, yaml.YAMLError) as error:
        raise ValueError(explain(str(error))) from error


def explain(text: str) -> str:
    """Shorten a message of the parser to what its reader can act on."""
    if match := UNKNOWN_KEY.search(text):
        return f"unknown key '{match[1]}'{nearest(match[1], keys())} (all keys: --print_config)"
    if match := UNKNOWN_CLASS.search(text):
        kinds = {kind.__name__: base for base in (ArithmeticModule, ArithmeticDataModule) for kind in exported(base)}
        close = difflib.get_close_matches(match[1].rpartition(".")[2], kinds, n=1)
        hint = f"; the nearest is '{close[0]}'" if close else ""
        expected = sorted(name for name, base in kinds.items() if not close or base is kinds[close[0]])
        return f"unknown class '{match[1]}'{hint}; expected one of {', '.join(expected)}"
    lines = [line.strip() for line in text.splitlines()]
    told = [line.removeprefix("- ") for line in lines if line and not SCAFFOLDING.match(line)]
    return " ".join(told[:3]) or text


def keys() -> list[str]:
    """Return every dotted key that some configuration may use."""
    found = {"seeds", "settings", "evaluate_every", "compile", "drop_decided", "ckpt_path"}
    found |= {f"{part}.class_path" for part in ("model", "data")}
    found |= {f"trainer.{name}" for name in parameters(Trainer)}
    for prefix, base in (("model", ArithmeticModule), ("data", ArithmeticDataModule)):
        for kind in (base, *exported(base)):
            found |= {f"{prefix}.init_args.{name}" for name in parameters(kind)}
    return sorted(found)


def exported(base: type) -> list[type]:
    """Return every architecture or dataset that a configuration may name."""
    names = [getattr(package, name) for package in (architectures, data) for name in package.__all__]
    return [kind for kind in names if isinstance(kind, type) and issubclass(kind, base) and kind is not base]


def parameters(kind: type) -> list[str]:
    """Return the names of a constructor's arguments that a configuration may set, those it hands on included."""
    given = [inspect.signature(part).parameters for part in kind.__mro__]
    return [name for part in given for name, argument in part.items() if argument.default is not argument.empty]
