"""A run's folder: logs/<experiment>/version_<n> with the configuration, where it came from, checkpoint and results.

Running the same configuration again continues an unfinished run from its last checkpoint, and starts a new version
after a finished one or while another process is at work on it.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PACKAGES = ("arith_lightning", "torch", "lightning", "optuna", "numpy", "tensorboard")
CONFIG, ORIGIN, RESULT, CHECKPOINT = "config.yaml", "origin.json", "summary.json", "checkpoints/last.ckpt"
"""Files of a run: resolved configuration, provenance, and what only a finished run has."""
LOCK = "process.lock"
"""File that the process at work on a run keeps locked, with its number in it."""
_locks: list[Any] = []
"""Locked files; closing one, or the end of this process, however that comes, unlocks it."""


def folder(root: Path, name: str, configuration: str) -> Path:
    """Return the folder of the unfinished run with this very configuration, or a new version, which it creates.

    Raises:
        ValueError: the folder cannot be written.
    """
    versions = sorted((root / name).glob("version_*"), key=number)
    for path in reversed(versions):
        config = path / CONFIG
        if config.exists() and not (path / RESULT).exists() and config.read_text() == configuration and claim(path):
            return path
    next_number = number(versions[-1]) + 1 if versions else 0
    while True:  # runs that start at the same moment must not share a folder
        path = root / name / f"version_{next_number}"
        try:
            path.mkdir(parents=True)
            claim(path)
            return path
        except FileExistsError:
            next_number += 1
        except OSError as error:
            raise unwritable(path, error) from error


def discard(path: Path) -> None:
    """Remove the folder of a run that was refused before its first checkpoint, and those around it if it was alone."""
    if (path / CHECKPOINT).exists() or (path / RESULT).exists():
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
    _locks.append(file)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return True


def number(path: Path) -> int:
    """Return the n of `version_n`."""
    return int(path.name.removeprefix("version_"))


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
    return ValueError(f"the run's folder must be writable; got {path} ({error.strerror}); free it or run elsewhere")


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(path)


def commit() -> str | None:
    """Return the git commit of the source, marked when there are uncommitted changes; None outside a repository."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def checkpoint(path: Path) -> dict[str, Any]:
    """Return the arguments of a `ModelCheckpoint` that keeps the last evaluation in the run's folder."""
    file = path / CHECKPOINT
    return {
        "dirpath": file.parent,
        "filename": file.stem,
        "save_top_k": 1,
        "every_n_epochs": 1,
        "enable_version_counter": False,
    }
