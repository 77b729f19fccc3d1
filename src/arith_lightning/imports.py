"""What can be told of a class from its import path before anything foreign is imported."""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from arith_lightning.complaint import require

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
"""What an import path looks like; `meant` tells whether one is."""
WAY_OUT = "name a class of this package, or one of an installed package or of the current folder that extends its base"


def meant(text: str) -> bool:
    """Return whether a text may be taken for an import path: a parser that tried would import something."""
    return PATH.fullmatch(text) is not None and find(text.partition(".")[0]) is not None


def here() -> None:
    """Let classes in the current folder be found, after all that is installed.

    By its name: the empty path that stands for it means another folder while a configuration is read.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))


def examine(path: str) -> None:
    """Refuse an import path that cannot be that of a class with a base; imports nothing.

    What a module does when it is imported, or a class of the right base when it is built, cannot be told.

    Raises:
        ValueError: there is no such module, it belongs to Python itself, or has no such class.
    """
    module, _, name = path.rpartition(".")
    if not module or (module in sys.modules and module.partition(".")[0] not in sys.stdlib_module_names):
        return
    known = module.partition(".")[0] not in (*sys.stdlib_module_names, *sys.builtin_module_names)
    require(known, "class_path must not name a part of Python itself", path, WAY_OUT)
    spec = find(module)
    require(spec is not None, "class_path must name a module that can be found", path, WAY_OUT)
    if spec and spec.origin and spec.origin.endswith(".py"):
        try:
            body = ast.parse(Path(spec.origin).read_bytes()).body
        except (SyntaxError, ValueError, OSError) as error:
            raise ValueError(f"class_path must name a module of Python; got {path} ({error}); correct it") from error
        require(
            any(defines(part, name) for part in statements(body)),
            "class_path must name a class with a base",
            path,
            WAY_OUT,
        )


def find(module: str) -> ModuleSpec | None:
    """Return where a module is, without importing the packages that it is in."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top) if top else None
    except (ValueError, ImportError):
        return None
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return spec


def statements(body: list[Any]) -> Iterator[ast.stmt]:
    """Yield what stands at a module's top, also inside `if` and `try`."""
    for part in body:
        yield part
        if isinstance(part, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from statements(getattr(part, name, []))
            for handler in getattr(part, "handlers", []):
                yield from statements(handler.body)


def defines(part: ast.stmt, name: str) -> bool:
    """Tell whether a statement may bind a name to a class that has a base."""
    if isinstance(part, ast.ClassDef):
        return part.name == name and bool(part.bases)
    if isinstance(part, ast.FunctionDef):
        return part.name == "__getattr__"
    if isinstance(part, ast.ImportFrom | ast.Import):
        return any((alias.asname or alias.name) in (name, "*") for alias in part.names)
    if isinstance(part, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in part.targets)
    return False
