"""When and how steps are compiled: dynamic in the number of members, cached on disk, one code object a graph."""

import atexit
import logging
import os
import re
import shutil
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from arith_lightning import private

EAGER_STEP, EAGER_BYTE = 1e-3, 4e-10
"""Seconds of a recorded step that is not compiled, and of each byte that all members write on their way forward."""
COMPILING = 10.0
"""Seconds of such steps from which compiling pays, which costs three of them from a warm cache and ten from a cold."""

os.environ.setdefault("TENSORIFY_PYTHON_SCALARS", "0")  # or every graph is traced twice, because buffers are scalars
BROKEN = re.compile(r"ImportError: (\S+\.so): ")
"""What a compiler killed in the middle of its work leaves behind in the cache."""
INSTALL = "install one (Debian: apt-get install g++) or set CXX"
CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Environment variable that names the folder of compiled steps."""
log = logging.getLogger(__name__)


def own(folder: Path) -> bool:
    """Return whether this user alone can write to a folder, which is created if need be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name != "posix":
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def keep() -> None:
    """Have compiled steps kept in a folder of this user and this kind of processor, whose programs are then loaded.

    Where others can write to that folder, or the compiler cannot take its name, they are kept for this process alone.
    """
    named = os.environ.get(CACHE)
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    if named is None or named == private.default_cache_dir():  # torch names its own as soon as it is asked
        folder = home / "arith_lightning" / "compiled" / torch.backends.cpu.get_cpu_capability().lower()
    else:
        folder = Path(named)
    try:
        fit = own(folder) and not spaced(folder)
    except OSError:
        fit = False
    if not fit:
        log.warning("compiled steps are not kept: %s must be yours alone, with no space in its name", folder)
        folder = Path(tempfile.mkdtemp(prefix="arith_lightning_"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[CACHE] = str(folder)


def spaced(path: Path | str) -> bool:
    """Return whether a path has a space in it."""
    return any(map(str.isspace, str(path)))


keep()
private.quote_paths()
private.cache_loops()


def compiler() -> str | None:
    """Return the C++ compiler that torch will call; None if there is none."""
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def worthwhile(steps: int, device: torch.device, written: int = 0) -> bool:
    """Decide whether a run should be compiled.

    Args:
        steps: steps of the run.
        device: where they are taken.
        written: bytes that all members write on their way forward, in each step.
    """
    return steps * (EAGER_STEP + EAGER_BYTE * written) >= COMPILING and able(device)


def able(device: torch.device) -> bool:
    """Return whether steps can be compiled; say so where they cannot."""
    if device.type == "cpu" and not compiler():
        log.warning(
            "no C++ compiler was found, so this run is not compiled and takes several times longer; %s", INSTALL
        )
        return False
    return True


class Steps:
    """A function compiled as one graph for any number of members above one, or for a single member.

    The compiler caches by code object, so every graph gets its own copy of the code. It checks nothing when a graph is
    called; whoever calls must keep one graph for each dtype, device and structure, one for a single member, and more
    where a graph turns out to be `bound`.

    Args:
        function: takes trees of tensors.
        axes: for each argument, the axes of the tensors in it whose length may change: members, steps.
        products: whether it is mostly products of matrices.

    """

    def __init__(self, function: Callable[..., Any], axes: tuple[tuple[int, ...], ...], products: bool = False) -> None:
        own = types.FunctionType(
            function.__code__.replace(), function.__globals__, function.__name__, None, function.__closure__
        )
        self.graph, self.axes, self.marked = private.Compiled(own, products), axes, False

    @property
    def constants(self) -> set[int]:
        """Lengths of the first call, of which the graph takes no other."""
        return self.graph.constants

    def __call__(self, *arguments: Any) -> Any:
        """Take the steps."""
        if not self.marked:
            self.marked = True
            for lengths, argument in zip(self.axes, arguments, strict=True):
                for leaf in private.tree_leaves(argument):
                    for axis in lengths:
                        private.allow_lengths(leaf, axis)
        with private.with_constants():
            try:
                return self.graph(*arguments)
            except private.InductorError as error:
                broken = BROKEN.search(str(error))
                if broken is None:
                    raise
                Path(broken[1]).unlink(missing_ok=True)
                return self.graph(*arguments)
