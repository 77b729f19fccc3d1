"""Where studies live, and how a study outlives the processes that worked on it.

A journal file is the default: it needs no server and is ten times faster than SQLite. Optuna's heartbeats do not exist
for it, so every running trial names its owner here, and trials whose owner is gone are taken back at the next start.
"""

import os
import socket
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from space import Space

OWNER, RETRIED, SPACE = "owner", "retry_of", "space"
"""Names of attributes."""
SILENT = timedelta(minutes=10)
"""Age from which a running trial of another machine counts as abandoned; a batch takes seconds to a minute."""
UNOWNED = timedelta(seconds=30)
"""Age from which a running trial without an owner does; the owner is written right after asking."""

Owner = dict[str, Any]


def owner() -> Owner:
    """Return a new owner: this process, told apart from a later one with the same number."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}


def connect(storage: str) -> BaseStorage:
    """Open a journal file by its path, or any storage by its Optuna URL.

    Raises:
        ValueError: it cannot be opened.
    """
    try:
        if "://" not in storage:
            Path(storage).parent.mkdir(parents=True, exist_ok=True)
            return JournalStorage(JournalFileBackend(storage))
        if storage.startswith(("sqlite", "mysql", "postgresql")):
            return RDBStorage(storage)
        return get_storage(storage)
    except Exception as error:
        raise ValueError(
            f"--storage must be a journal file or an Optuna URL that opens; got {storage} ({error})"
        ) from error


def open_study(space: Space, storage: str, sampler: optuna.samplers.BaseSampler | None = None) -> Study:
    """Open or create the study of a space.

    Raises:
        ValueError: the storage cannot be opened, or holds a study of another space under this name.
    """
    study = optuna.create_study(
        storage=connect(storage), study_name=space.name, direction="maximize", load_if_exists=True, sampler=sampler
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
    """Return the finished trials."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def unasked(study: Study, trials: int) -> int:
    """Return how many of `trials` trials are neither finished nor being trained."""
    taken = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.RUNNING))
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
        study.tell(trial.number, state=TrialState.FAIL)
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
