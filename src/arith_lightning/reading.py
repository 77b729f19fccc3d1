"""YAML as this project reads it, whoever parses it: no key twice, nothing that contains itself or explodes."""

from pathlib import Path
from typing import Any

import yaml

from arith_lightning.complaint import require, short

LARGEST = 1_000_000
"""Values that a file may hold, with those behind an alias counted wherever it stands."""

LONGEST = 200
"""Bytes of a name that a folder or a file gets, which file systems end at 255."""
FORBIDDEN = "/\\|<>"
"""Characters of no name: folders, and what tables and pages are written with."""


def examine(text: str) -> None:
    """Refuse YAML that can be read but not meant.

    Raises:
        ValueError: a key stands twice, or aliases make the content endless.
        yaml.YAMLError: it is not YAML.
    """
    try:
        _size(yaml.compose(text, Loader=yaml.SafeLoader), {}, ())
    except RecursionError as error:
        raise ValueError("YAML must not be nested hundreds of levels deep; got such a value; see brackets") from error


def _size(node: Any, known: dict[int, int], above: tuple[int, ...]) -> int:
    """Return the number of values in a node of YAML."""
    require(id(node) not in above, "a YAML value must not contain itself", "an alias inside its anchor", "spell it out")
    if id(node) not in known:
        parts = getattr(node, "value", None)
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
            twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
            require(not twice, "a YAML key must stand once in its mapping", f"{twice} twice", "drop one of them")
            parts = [part for pair in node.value for part in pair]
        below = parts if isinstance(parts, list) else []
        known[id(node)] = 1 + sum(_size(part, known, (*above, id(node))) for part in below)
    require(known[id(node)] <= LARGEST, f"YAML must hold {LARGEST} values at most", "more", "use fewer aliases")
    return known[id(node)]


def load(path: Path, what: str) -> dict[str, Any]:
    """Read a mapping from a file.

    Args:
        path: the file.
        what: what it should be, for the complaint.

    Raises:
        ValueError: there is no such file, or it is not a mapping in YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        examine(text)
        content = yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"{what} must be a file that can be read; got {path} ({error.strerror}); check it") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path} must be YAML: {short(error)}") from error
    require(isinstance(content, dict), f"{path}: {what} must be a mapping", kind(content), "write `key: value` lines")
    return content


def stem(path: Path) -> str:
    """Return the name that a file gives to a folder of what it starts.

    Raises:
        ValueError: that would be no folder of its own.
    """
    require(
        path.stem.strip(".") != "" and len(path.stem.encode()) <= LONGEST,
        f"a file's name must be more than dots and have {LONGEST} bytes at most, since a folder gets it",
        path.name,
        "rename it",
    )
    return path.stem


def word(what: str, name: Any) -> str:
    """Return a name that becomes part of a file's name.

    Raises:
        ValueError: it is no text, too long, or has characters that lead elsewhere or mean something in a table.
    """
    require(isinstance(name, str), f"{what} must have a name that is text", kind(name), 'write it in quotes, as "3"')
    plain = bool(name.strip(". ")) and not any(c in FORBIDDEN or not c.isprintable() for c in name)
    fits = len(name.encode()) <= LONGEST
    rule = f"{what} must have a name without {FORBIDDEN}, of {LONGEST} bytes at most, since files get it"
    require(plain and fits, rule, short(name, 60), "rename it")
    return name


def kind(value: Any) -> str:
    """Return a value with its type in YAML's words."""
    words = {type(None): "nothing", bool: "a truth value", dict: "a mapping", list: "a list", str: "text"}
    return f"{words.get(type(value), 'a number')} ({short(value, 60)})" if value is not None else "nothing"
