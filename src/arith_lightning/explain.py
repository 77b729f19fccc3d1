"""A wrong argument gets one or two lines: the rule, the value, the way out, and the nearest key that exists."""

import re
from argparse import ArgumentError
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException

from arith_lightning import architectures, data
from arith_lightning.again import parameters
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.complaint import nearest, short
from arith_lightning.data import ArithmeticDataModule

UNKNOWN_KEY = re.compile(r"""(?:[Uu]nrecognized arguments:|accept option|Option)\s+-*['"]?([\w.]+)""")
UNKNOWN_CLASS = re.compile(r"(?:import path string|Import path)[^:]*:\s*([\w.]+)")
FOREIGN_CLASS = re.compile(r"Import path ([\w.]+) does not correspond to a subclass of Arithmetic")
UNALLOCATED = re.compile(r"[Tt]ried to allocate ([\d.]+(?: \w?i?B)?)")
NOT_INSTALLED = re.compile(r"Requirement '([^']+)' not met")
REQUIRED = re.compile(r'Parser key "([\w.]+)":.*the following arguments are required: ([\w, ]+)', re.DOTALL)
PARSED_KEY = re.compile(r'Parser key "(\w+)')
NO_LIST = re.compile(
    r"""Parser key "(\w+)":\s+(?:"""
    r"""Expected a <class 'list'>\. Got value: |"""
    r"""Does not validate[^\n]*\n\s+Subtypes: \[list\[\w+\], <class 'NoneType'>\]\n\s+Errors:\n"""
    r"""\s+- Expected a <class 'list'>\n[^\n]*\n[^\n]*\n\s+Given value: )([\w.+-]+)$""",
    re.MULTILINE,
)
SCAFFOLDING = re.compile(
    r"^(Does not validate|Subtypes:|Errors:|Given value|- Expected a <class 'NoneType'>"
    r"|- Problem with given class_path|Parser key \"(model|data)\":$)"
)
"""Lines of the parser's messages that speak of its own machinery."""


REFUSALS = (
    ArgumentError,
    ArithmeticError,
    ImportError,
    MemoryError,
    MisconfigurationException,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    yaml.YAMLError,
)
"""How the parser, Lightning, torch and constructors refuse a value. Whatever else is raised is a mistake in code."""
BASES = {"model": ArithmeticModule, "data": ArithmeticDataModule}
KINDS = {"model": "an architecture", "data": "a dataset"}


@contextmanager
def explained() -> Iterator[None]:
    """Turn whatever parsing and building raise about a value into a `ValueError` with a short message."""
    try:
        yield
    except REFUSALS as error:
        raise ValueError(explain(str(error)) or f"this cannot be built: {type(error).__name__}") from error


def explain(text: str) -> str:
    """Shorten a message of the parser to what its reader can act on."""
    if match := UNKNOWN_KEY.search(text):
        return f"unknown key '{match[1]}'{nearest(match[1], keys())} (all keys: --print_config)"
    if match := FOREIGN_CLASS.search(text):
        return (
            f"a population takes architectures and datasets of this project; got {match[1]}; an ordinary module trains "
            "with a Trainer a seed where the configuration says what success is: "
            "success: {monitor: val_acc, above: 0.95}"
        )
    if match := UNKNOWN_CLASS.search(text):
        return unknown_class(match[1], PARSED_KEY.search(text))
    if match := UNALLOCATED.search(text):
        need = f"{int(match[1]) / 1e9:,.0f} GB" if match[1].isdigit() else match[1]
        return f"networks and data must fit into memory; got sizes that need {need} more; make them smaller"
    if match := NOT_INSTALLED.search(text):
        return f"what is named must be installed; got no {match[1]}; pip install '{match[1]}'"
    if match := NO_LIST.search(text):
        return f"{match[1]} must be a list; got {match[2]}; write [{match[2]}]"
    if match := REQUIRED.search(text):
        return (
            f"{match[1]} needs {match[2]}; got none; add --{match[1]}.{match[2].split(', ')[0]} or name it in the YAML"
        )
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not SCAFFOLDING.match(line)]
    if "Problem with given class_path" in text:  # what the class says, not what else the key may hold
        told = [line for line in told if "Got value" in line or not line.startswith("- Expected a <class")] or told
    told = [line.removeprefix("- ") for line in told]
    return short(" ".join(told[:3]) or text, 400)


def unknown_class(path: str, key: re.Match[str] | None) -> str:
    """Complain about a class: with those that a model or a dataset may be, and the nearest of them."""
    if key is None or key[1] not in BASES:
        return f"unknown class '{path}'; name it by its import path, as in lightning.pytorch.callbacks.EarlyStopping"
    known = {part: sorted(kind.__name__ for kind in exported(base)) for part, base in BASES.items()}
    for part, names in known.items():
        if part != key[1] and path.rpartition(".")[2] in names:
            return f"{key[1]} must be {KINDS[key[1]]}; got {KINDS[part]}, {path}; one of {', '.join(known[key[1]])}"
    names = known[key[1]]
    return f"unknown class '{path}'{nearest(path, names)}; expected one of {', '.join(names)}"


def keys() -> list[str]:
    """Return every dotted key that some configuration may use."""
    found = {"config", "seeds", "settings", "evaluate_every", "compile", "drop_decided", "ckpt_path"}
    found |= {f"{part}.class_path" for part in ("model", "data")}
    found |= {f"trainer.{name}" for name in parameters(Trainer)}
    for prefix, base in BASES.items():
        for kind in (base, *exported(base)):
            known = parameters(kind).items()
            found |= {
                f"{prefix}.init_args.{name}" for name, argument in known if argument.default is not argument.empty
            }
    return sorted(found)


def exported(base: type) -> list[type]:
    """Return every architecture or dataset that a configuration may name."""
    names = [getattr(package, name) for package in (architectures, data) for name in package.__all__]
    return [kind for kind in names if isinstance(kind, type) and issubclass(kind, base) and kind is not base]
