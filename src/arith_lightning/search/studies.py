"""Where studies live, and how a study outlives the processes that worked on it.

A journal file is the default: it needs no server and is ten times faster than SQLite. Optuna's heartbeats do not exist
for it, so every running trial names its owner here, and trials whose owner is gone are taken back at the next start.
"""

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage, get_storage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from arith_lightning.search.journal import SafeJournal
from arith_lightning.search.space import Space

OWNER, RETRIED, SPACE = "owner", "retry_of", "space"
"""Names of attributes."""
SILENT = timedelta(minutes=10)
"""Age from which a running trial of another machine counts as abandoned; a batch takes seconds to a minute."""
UNOWNED = timedelta(seconds=30)
"""Age from which a running trial without an owner does; the owner is written right after asking."""
PATIENCE = 120.0
"""Seconds that a database server may take to come back."""

Owner = dict[str, Any]


def owner() -> Owner:
    """Return a new owner: this process, told apart from a later one with the same number."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}


class StorageLostError(Exception):
    """The storage does not answer; it may come back."""


def connect(storage: str) -> BaseStorage:
    """Open a journal file by its path, a gRPC proxy by grpc://host:port, or a database by its URL.

    Raises:
        ValueError: it cannot be opened.
    """
    try:
        if "://" not in storage:
            return JournalStorage(SafeJournal(Path(storage)))
        if storage.startswith("grpc://"):
            host, _, port = storage.removeprefix("grpc://").rpartition(":")
            proxy = GrpcStorageProxy(host=host, port=int(port))
            proxy.wait_server_ready(timeout=20)
            return proxy
        if storage.startswith(("sqlite", "mysql", "postgresql")):
            # a connection that a restarted server has dropped is replaced before use
            return RDBStorage(storage, engine_kwargs={"pool_pre_ping": True})
        return get_storage(storage)
    except Exception as error:
        raise ValueError(
            f"--storage must be a writable journal file, grpc://host:port, or a database URL that opens; got {storage} "
            f"({_first_line(error)}){_remedy(storage, error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _remedy(storage: str, error: Exception) -> str:
    if storage.startswith("postgresql") and isinstance(error, ImportError):
        return "; pip install '.[postgres]'"
    return ""


@contextmanager
def reached(storage: str) -> Iterator[None]:
    """Tell a storage that is gone for now from one that cannot be written.

    Raises:
        StorageLostError: a server does not answer.
        ValueError: the disk is full, or the storage is read-only.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, grpc.RpcError, OSError) as error:
        text = f"{error} {error.__cause__ or ''}"
        if isinstance(error, OSError) or any(sign in text for sign in ("disk is full", "readonly", "read-only")):
            raise ValueError(
                f"the study's storage must be writable; got {storage} ({_first_line(error)}); "
                "free or change the disk, the same command continues"
            ) from error
        raise StorageLostError(f"the storage does not answer ({_first_line(error)})") from None


def await_storage(storage: str, patience: float = PATIENCE) -> None:
    """Return once the storage can be opened again.

    Raises:
        ValueError: it cannot within `patience` seconds.
    """
    end = time.monotonic() + patience
    while True:
        try:
            connect(storage)
            return
        except ValueError:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def open_study(space: Space, storage: str) -> Study:
    """Open or create the study of a space.

    Raises:
        ValueError: the storage cannot be opened, or holds a study of another space under this name.
    """
    study = optuna.create_study(
        storage=connect(storage), study_name=space.name, direction="maximize", load_if_exists=True
    )
    known = study.user_attrs.get(SPACE)
    if known is None:
        study.set_user_attr(SPACE, space.identity())
    elif known != space.identity():
        changed = [key for key, value in space.identity().items() if known.get(key) != value]
        raise ValueError(
            f"{space.name}: the study in {storage} was made with another {', '.join(changed)}; "
            "undo the change, or remove the study or use another --storage"
        )
    return study


def completed(study: Study) -> list[FrozenTrial]:
    """Return the trials that trained to the end."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def finished(study: Study) -> list[FrozenTrial]:
    """Return the trials that trained to the end or were pruned."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def unasked(study: Study, trials: int) -> int:
    """Return how many of `trials` trials are neither finished nor being trained."""
    taken = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING))
    return max(0, trials - len(taken))


def claim(trial: Trial, mine: Owner) -> None:
    """Write down who trains a trial."""
    trial.set_user_attr(OWNER, mine)


def reclaim(study: Study, mine: Owner, own: bool = False) -> int:
    """Fail the trials whose owner is gone and queue their parameters once more; return their number.

    Args:
        study: the study.
        mine: this process.
        own: whether this process's own workers are gone too.
    """
    gone = [t for t in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if abandoned(t, mine, own)]
    for trial in gone:
        try:
            study.tell(trial.number, state=TrialState.FAIL)
        except (ValueError, UpdateFinishedTrialError):
            continue  # another command was faster, and has queued it
        if trial.params and RETRIED not in trial.user_attrs:
            study.enqueue_trial(trial.params, user_attrs={RETRIED: trial.number})
    return len(gone)


def abandoned(trial: FrozenTrial, mine: Owner, own: bool) -> bool:
    """Tell whether nobody trains a running trial any more."""
    claimed: Owner | None = trial.user_attrs.get(OWNER)
    age = datetime.now() - (trial.datetime_start or datetime.min)
    if claimed is None:
        return age > UNOWNED
    if claimed["token"] == mine["token"]:
        return own
    if claimed["host"] == mine["host"]:
        return claimed["pid"] == mine["pid"] or not alive(claimed["pid"])
    return age > SILENT


def alive(pid: int) -> bool:
    """Tell whether a process exists on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
