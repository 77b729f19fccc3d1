"""A run's folder: logs/<experiment>/version_<n> with the configuration, where it came from, checkpoint and results.

Running the same configuration again continues an unfinished run from its last checkpoint, and starts a new version
after a finished one or while another process is at work on it.
"""

import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from arith_lightning import reading

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOGS = Path("logs")
"""Where runs are kept, of the folder a command is given in."""
PACKAGES = ("arith_lightning", "torch", "lightning", "optuna", "numpy", "tensorboard")
CONFIG, ORIGIN, RESULT = "config.yaml", "origin.json", "summary.json"
"""Files of a run: resolved configuration, provenance, and what only a finished run has."""
VERSION = re.compile(r"version_\d+")
LOCK = "process.lock"
"""File that the process at work on a run keeps locked, with its number in it."""
_locks: dict[Path, Any] = {}
"""Locked files by folder; closing one, or the end of this process, however that comes, unlocks it."""


def folder(root: Path, name: str, configuration: str) -> Path:
    """Return the folder of the unfinished run with this very configuration, or a new version, which it creates.

    Raises:
        ValueError: the folder cannot be written.
    """
    try:
        (root / name).mkdir(parents=True, exist_ok=True)
        known = versions(root / name)
        for path in reversed(known):
            if (not begun(path) or unfinished(path, configuration)) and claim(path):
                return path
        following = number(known[-1]) + 1 if known else 0
        while True:  # runs that start at the same moment must not share a folder
            path = root / name / f"version_{following}"
            with suppress(FileExistsError):
                path.mkdir()
                if claim(path):
                    return path
            following += 1
    except OSError as error:
        raise unwritable(root / name, error) from error


def name(files: Sequence[str]) -> str:
    """Return the experiment's name: that of the last of its configuration files; `run` without any.

    Raises:
        ValueError: a folder cannot have this name.
    """
    if not files:
        return "run"
    path = Path(files[-1]).absolute()
    again = path.name == CONFIG and VERSION.fullmatch(path.parent.name)
    return path.parent.parent.name if again else reading.stem(path)


def begun(path: Path) -> bool:
    """Return whether a run has its configuration, which its process may not have lived to write."""
    return path in _locks or any((path / name).exists() for name in (CONFIG, RESULT, "checkpoints"))


def unfinished(path: Path, configuration: str) -> bool:
    """Return whether a run of this configuration waits to be gone on with."""
    return not (path / RESULT).exists() and recorded(path) == configuration


def versions(experiment: Path) -> list[Path]:
    """Return the folders of an experiment's runs in the order of their numbers; nothing else that lies there."""
    found = (path for path in experiment.glob("version_*") if VERSION.fullmatch(path.name))
    return sorted((path for path in found if path.is_dir()), key=number)


def number(path: Path) -> int:
    """Return the n of `version_n`."""
    return int(path.name.removeprefix("version_"))


def recorded(path: Path) -> str | None:
    """Return the configuration of a run; None where there is none that can be read."""
    try:
        return (path / CONFIG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def discard(path: Path) -> None:
    """Remove the folder of a run that was refused before its first checkpoint, and those around it if it was alone."""
    if (path / "checkpoints").exists() or (path / RESULT).exists():
        return
    shutil.rmtree(path, ignore_errors=True)
    for parent in (path.parent, path.parent.parent):
        with suppress(OSError):
            parent.rmdir()


def claim(path: Path) -> bool:
    """Lock a run's folder for the life of this process; return False if another process has it."""
    if fcntl is None:
        return True
    file = (path / LOCK).open("a+")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        return False
    except OSError:  # a file system without locks
        file.close()
        return True
    _locks[path] = file
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return True


def begin(path: Path, configuration: str) -> None:
    """Write what is run, and from what: command, versions, commit.

    Raises:
        ValueError: the folder cannot be written.
    """
    origin = {
        "command": [sys.executable, *sys.argv],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": commit(),
    }
    try:
        write(path / ORIGIN, json.dumps(origin, indent=2))
        write(path / CONFIG, configuration)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ValueError:
    """Return the complaint about a folder that cannot be written."""
    return ValueError(
        f"the run's folder must be writable; got {path} ({error.strerror}); free or mount the disk, or run elsewhere"
    )


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def picture(path: Path, figure: Figure, dpi: int) -> None:
    """Write a figure as PNG, whole or not at all."""
    content = io.BytesIO()
    figure.savefig(content, dpi=dpi)
    write(path, content.getvalue())


def commit() -> str | None:
    """Return the git commit of the source, marked when there are uncommitted changes; None outside a repository."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
