"""Arguments of a command line, before a parser reads them: their keys, and lists without brackets."""

import re
from collections.abc import Iterator, Sequence

from arith_lightning import shipped

PATHS = ("config", "ckpt_path", "default_root_dir", "base")
"""Keys whose values are files or folders."""
SINGLE = (*PATHS, "path", "test_path", "formula", "test_where", "separator")
"""Keys whose values are a single text, whatever commas are in it."""
LIST = re.compile(r"[\w.+-]+(,[\w.+-]+)+")
"""A list without its brackets."""


class MissingFileError(ValueError):
    """A file that a command line names is not there."""


def examine(arguments: Sequence[str]) -> None:
    """Refuse configurations and spaces that are not there, before anything that takes time is imported.

    Raises:
        MissingFileError: one is not.
    """
    key = ""
    for argument in [] if arguments[:1] == ["predict"] else arguments:
        key, equals, value = argument.partition("=") if argument.startswith("--") else (key, "=", argument)
        try:
            if equals and key == "--config":
                shipped.config(value)
            elif equals and key == "--space":
                shipped.space(value)
        except ValueError as error:
            raise MissingFileError(str(error)) from error


def resolved(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the file that is meant by each `--config`.

    Raises:
        ValueError: there is no such file.
    """
    found, before = [], ""
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if before == "--config":
            found.append(str(shipped.config(argument)))
        else:
            found.append(f"{key}={shipped.config(value)}" if key == "--config" and equals else argument)
        before = argument
    return found


def pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of command-line arguments, written `--key value` or `--key=value`."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        key, equals, value = argument.partition("=")
        if key.startswith("--"):
            yield key.removeprefix("--").removesuffix("+"), value if equals else following


def listed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with lists as the parser reads them, `[32,32]`, where they are given as `32,32`."""
    found, before = [], ""
    for argument in arguments:
        key, equals, value = argument.partition("=") if argument.startswith("--") else (before, "", argument)
        single = key.rpartition(".")[2].removeprefix("--").removesuffix("+") in SINGLE
        whole = f"[{value}]" if LIST.fullmatch(value) and not single else value
        found.append(whole if not argument.startswith("--") else key + equals + whole)
        before = argument
    return found
