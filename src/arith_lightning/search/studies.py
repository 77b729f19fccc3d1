"""Where studies live, and how a study outlives the processes that worked on it.

A journal file is the default: it needs no server and is ten times faster than SQLite. Optuna's heartbeats do not exist
for it, so every running trial names the process that trains it, and trials of processes that are gone are taken back.
"""

import socket
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import optuna
import psutil
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from arith_lightning.search.journal import journal
from arith_lightning.search.space import Space, difference

OWNER, RETRIED, SPACE, STUDY = "owner", "retry_of", "space", "study"
"""Names of attributes."""
OWNED = {"host", "boot", "pid", "started", "command", "worker"}
"""What is known of an owner."""
SILENT = timedelta(minutes=10)
"""Age from which a running trial of another machine counts as abandoned; a batch takes seconds to a minute."""
UNOWNED = timedelta(seconds=30)
"""Age from which a running trial without an owner does; the owner is written right after asking."""
PATIENCE = 120.0
"""Seconds that a database server may take to come back."""
CLOCK = 2.0
"""Seconds by which the start of a process may seem to move; its first trial is asked for later than that."""
BOOT = Path("/proc/sys/kernel/random/boot_id")
DATABASES = ("sqlite", "mysql", "postgresql")

Owner = dict[str, Any]
Part = tuple[str, int]
"""A worker, on whatever machine: its command's token, its index."""


def owner(command: str = "", worker: int = 0) -> Owner:
    """Return who trains what this process asks for, told apart from any later process with the same number."""
    process = psutil.Process()
    return {
        "host": socket.gethostname(),
        "boot": boot(),
        "pid": process.pid,
        "started": process.create_time(),
        "command": command,
        "worker": worker,
    }


def boot() -> str:
    """Return what tells this start of the machine from its others; nothing where the system has no such number."""
    return BOOT.read_text().strip() if BOOT.exists() else ""


def lives(claimed: Owner) -> bool:
    """Tell whether a process of this machine still runs; one that only waits to be reaped does not."""
    if claimed["boot"] != boot():
        return False
    try:
        process = psutil.Process(claimed["pid"])
        same = abs(process.create_time() - claimed["started"]) < CLOCK
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class StorageLostError(Exception):
    """The storage does not answer; it may come back."""


def connect(storage: str) -> BaseStorage:
    """Open a journal file by its path, a gRPC proxy by grpc://host:port, or a database by its URL.

    Raises:
        ValueError: it cannot be opened.
    """
    try:
        if not is_url(storage):
            if not storage:
                raise ValueError("the name is empty")
            return JournalStorage(journal(Path(storage)))
        if storage.startswith("grpc://"):
            host, _, port = storage.removeprefix("grpc://").rpartition(":")
            proxy = GrpcStorageProxy(host=host, port=int(port))
            proxy.wait_server_ready(timeout=20)
            return proxy
        if not storage.startswith(DATABASES):
            raise ValueError(f"databases are {', '.join(DATABASES)}")
        if storage.startswith("sqlite") and in_memory(storage):
            raise ValueError("a database in memory is another one in every process; name a file: sqlite:///study.db")
        # a connection that a restarted server has dropped is replaced before use
        return RDBStorage(storage, engine_kwargs={"pool_pre_ping": True})
    except Exception as error:
        raise ValueError(
            f"--storage must be a writable journal file, grpc://host:port, or a database URL that opens; "
            f"got {shown(storage)!r} ({_first_line(error)}){_remedy(storage, error)}"
        ) from error


def is_url(storage: str) -> bool:
    """Tell a URL from the path of a journal."""
    return "://" in storage


def in_memory(storage: str) -> bool:
    """Tell whether an SQLite URL names no file."""
    url = make_url(storage)
    return url.database in (None, "") or ":memory:" in str(url.database) or url.query.get("mode") == "memory"


def shown(storage: str) -> str:
    """Return a storage's name for messages, without its password."""
    try:
        return make_url(storage).render_as_string() if is_url(storage) else storage
    except (ValueError, SQLAlchemyError):
        return storage


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
                f"the study's storage must be writable; got {shown(storage)} ({_first_line(error)}); "
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
    if study.direction != StudyDirection.MAXIMIZE:
        raise ValueError(
            f"{space.name}: a study must maximize one value; the one in {shown(storage)} does not; "
            "give the new study another --storage"
        )
    known, identity = study.user_attrs.get(SPACE), space.identity()
    if known is None:
        study.set_user_attr(STUDY, uuid.uuid4().hex)
        study.set_user_attr(SPACE, identity)
    elif changed := difference(known, identity):
        raise ValueError(
            f"{space.name}: a study must keep what it searches; the one in {shown(storage)} was made with "
            f"{'; '.join(changed)}; undo the change, or give the new study another --storage"
        )
    return study


def completed(study: Study) -> list[FrozenTrial]:
    """Return the trials that trained to the end."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def finished(study: Study) -> list[FrozenTrial]:
    """Return the trials that trained to the end or were pruned."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def elsewhere(study: Study, command: str) -> list[FrozenTrial]:
    """Return the running trials that workers of other commands train."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial for trial in running if (owner_of(trial) or {}).get("command") != command]


def owner_of(trial: FrozenTrial) -> Owner | None:
    """Return who trains a trial; None where that is not known, or was written by another version."""
    claimed = trial.user_attrs.get(OWNER)
    return claimed if isinstance(claimed, dict) and claimed.keys() >= OWNED else None


def described(trials: list[FrozenTrial]) -> str:
    """Say whose trials these are."""
    known = Counter(
        f"process {claimed['pid']} on {claimed['host']}" if (claimed := owner_of(trial)) else "nobody yet"
        for trial in trials
    )
    return ", ".join(f"{count} {'trial' if count == 1 else 'trials'} of {who}" for who, count in known.items())


def claim(trial: Trial, mine: Owner) -> None:
    """Write down who trains a trial."""
    trial.set_user_attr(OWNER, mine)


def reclaim(study: Study, gone: Collection[Part] = ()) -> int:
    """Queue the parameters of trials whose owner is gone once more, and fail those trials; return their number.

    In this order nothing is forgotten when this process ends in between; what it has queued is not queued again.

    Args:
        study: the study.
        gone: workers that are known to be gone, or to have given up what they had.
    """
    trials = study.get_trials(deepcopy=False)
    lost = [t for t in trials if t.state == TrialState.RUNNING and abandoned(t, gone)]
    queued = {t.user_attrs[RETRIED] for t in trials if RETRIED in t.user_attrs}
    for trial in lost:
        if trial.params and RETRIED not in trial.user_attrs and trial.number not in queued:
            study.enqueue_trial(trial.params, user_attrs={RETRIED: trial.number})
        with suppress(ValueError, UpdateFinishedTrialError):  # another command has failed it by now
            study.tell(trial.number, state=TrialState.FAIL)
    return len(lost)


def abandoned(trial: FrozenTrial, gone: Collection[Part] = ()) -> bool:
    """Tell whether nobody trains a running trial any more."""
    claimed = owner_of(trial)
    age = datetime.now() - (trial.datetime_start or datetime.min)
    if claimed is None:
        return age > UNOWNED
    if (claimed["command"], claimed["worker"]) in gone:
        return True
    return age > SILENT if claimed["host"] != socket.gethostname() else not lives(claimed)
