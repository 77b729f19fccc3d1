"""A run's checkpoints: each is written beside its place, forced to the disk and renamed, and the one before is kept.

So whenever a process or the machine stops, one whole checkpoint is there. One that is not is recognised by its
checksums, put aside, and the run goes on from the one before, or anew.
"""

import io
import itertools
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

LAST, PREVIOUS = "checkpoints/last.ckpt", "checkpoints/previous.ckpt"
"""Files in a run's folder."""
BROKEN = ".broken"
"""Ending of a file that was put aside."""


class KeptCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint whole or not at all, and keeps the one that was there."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint; OSError if it does not fit, and what was there stays."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        content = io.BytesIO()  # torch has words of its own for a full disk
        torch.save(checkpoint, content)
        try:
            with part.open("wb") as file:
                file.write(content.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        if path.exists():
            path.replace(path.with_name(Path(PREVIOUS).name))
        part.replace(path)


def callback(folder: Path) -> ModelCheckpoint:
    """Return what keeps the latest evaluation in a run's folder."""
    path = folder / LAST
    return ModelCheckpoint(
        dirpath=path.parent, filename=path.stem, save_top_k=1, every_n_epochs=1, enable_version_counter=False
    )


def read(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint; runs no code that it may hold.

    Raises:
        ValueError: it is torn or altered, or not one of a population.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if altered := archive.testzip():
                raise zipfile.BadZipFile(altered)
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        examine(content)
    except Exception as error:  # whatever a file can hold
        raise ValueError(
            f"a checkpoint must be a whole one that a run of `fit` wrote; got {path} ({reason(error)}); "
            f"name another, such as logs/*/*/{LAST}, or start anew without it"
        ) from error
    return content


def examine(content: Any) -> None:
    """Refuse what has not the form of a population's checkpoint.

    Raises:
        KeyError: a part is missing or of another kind.
    """
    for name in ("pytorch-lightning_version", "loops", "callbacks"):
        content[name]
    own = state(content)
    tensors = [*own["record"].values(), *own["live"]["state"].values(), own["live"]["index"], own["live"]["seed"]]
    members = len(own["record"]["error"])
    fit = (
        all(isinstance(tensor, torch.Tensor) for tensor in tensors)
        and all(tensor.shape[-1] == members for tensor in own["record"].values())
        and all(isinstance(part, dict) for part in (own["of"], own["live"]["module"], own["live"]["data"]))
        and isinstance(own["step"], int)
        and isinstance(content["callbacks"], dict)
    )
    if not fit:
        raise KeyError("parts of another kind")


def state(checkpoint: Any) -> dict[str, Any]:
    """Return what a population saved of itself."""
    return checkpoint["state_dict"]["_extra_state"]


def reason(error: Exception) -> str:
    """Say in a few words what is wrong with a file."""
    if isinstance(error, OSError):
        return error.strerror or "unreadable"
    foreign = isinstance(error, KeyError | TypeError | AttributeError | IndexError)
    return "not a checkpoint of a population" if foreign else "torn, altered or foreign"


def latest(folder: Path, check: Callable[[dict[str, Any]], None]) -> tuple[Path | None, list[str]]:
    """Return the newest whole checkpoint of a run, and a line about each that had to be put aside.

    Args:
        folder: the run's folder.
        check: raises `ValueError` for what a population saved of itself if it is of another one.
    """
    said = []
    for name in (LAST, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            check(state(read(path)))
        except ValueError as error:
            aside = unused(path.with_name(f"{path.name}{BROKEN}"))
            path.replace(aside)
            whose = "torn or altered" if "whole one" in str(error) else "of another run"
            said.append(f"{path} is {whose}; it is kept as {aside.name}")
        else:
            return path, said
    return None, said


def unused(path: Path) -> Path:
    """Return a path, or one with a number behind it, that nothing has yet."""
    taken = (path.with_name(f"{path.name}{n}") for n in itertools.count(1))
    return path if not path.exists() else next(other for other in taken if not other.exists())
