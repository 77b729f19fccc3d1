"""What a worker does: ask for a batch of trials, train it, tell the results, until the study is full.

Workers share nothing but the storage, so it does not matter on which machine they run, or what started them.
"""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any, NamedTuple

import optuna
import torch
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import Trial, TrialState

from arith_lightning.search import pruning, studies
from arith_lightning.search.objective import Result, value
from arith_lightning.search.samplers import SHARED, sampler
from arith_lightning.search.space import Setting, Space
from arith_lightning.search.training import Batch

BATCH = 8
"""Trials that a worker asks for at once unless told otherwise; an interrupt loses at most these."""


class Work(NamedTuple):
    """What the workers of one command have in common."""

    space: Space
    storage: str
    sampler: str
    pruner: str
    seed: int
    owner: studies.Owner
    compile: bool
    deadline: float
    """Time (seconds since 1970) after which no trial is asked for."""
    batch: int = BATCH
    """Trials asked for at once."""


def search(work: Work, index: int) -> None:
    """Ask, train and tell batches until no trial is left to ask for.

    Args:
        work: the study and how it is searched.
        index: which worker of the command this is.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with studies.reached(work.storage):
        study = studies.open_study(work.space, work.storage)
        study.sampler = sampler(work.sampler, work.seed, index, len(study.get_trials(deepcopy=False)))
        batch = Batch(work.space, work.compile)
        while trials := ask(study, work):
            prune = pruning.rule(work.pruner, work.space.steps, study, trials)
            try:
                results = batch.train([setting for _, setting in trials], range(work.space.seeds), prune)
            except ValueError:
                for trial, _ in trials:
                    study.tell(trial, state=TrialState.FAIL)
                raise
            for (trial, _), result in zip(trials, results, strict=True):
                tell(study, trial, result, value(result, work.space.steps))


def ask(study: Study, work: Work) -> list[tuple[Trial, Setting]]:
    """Return the next batch of trials with their settings; empty when the study is full or its time is over."""
    asked: list[Trial] = []
    if time.time() > work.deadline:
        return []
    with _lock, _unterminated():
        for _ in range(min(work.batch, studies.unasked(study, work.space.trials))):
            asked.append(study.ask())
            studies.claim(asked[-1], work.owner)
    # proposing is what takes long: workers do it side by side, but for a sequence that they share
    with _lock if work.sampler in SHARED else nullcontext():
        return [(trial, work.space.suggest(trial)) for trial in asked]


def tell(study: Study, trial: Trial, result: Result, score: float) -> None:
    """Record what a trial's seeds did, and its value, unless another machine has given the trial up for lost."""
    with suppress(UpdateFinishedTrialError):
        trial.set_user_attr("result", result._asdict())
        if result.pruned_at is None:
            study.tell(trial, score)
        else:
            study.tell(trial, state=TrialState.PRUNED)


def train(
    space: Space, compile: bool, settings: Sequence[Setting], seeds: Sequence[int], drop_decided: bool = False
) -> list[Result]:
    """Train settings outside of a study."""
    global _batch
    if _batch is None or (_batch.space, _batch.compile) != (space, compile):
        _batch = Batch(space, compile)
    return _batch.train(settings, seeds, drop_decided=drop_decided)


_batch: Batch | None = None
"""What has trained settings of the last space, with its parsed experiments: tiles of a map are many and short."""


_lock: Any = threading.Lock()
"""Held while asking, so that workers of one command do not ask for more trials than are wanted."""


def begin(lock: Any) -> None:
    """Prepare a worker's process."""
    global _lock
    _lock = lock
    torch.set_num_threads(1)
    # Ctrl-C reaches the whole process group; the command decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)


_asking = _ending = False
"""Whether this process is asking for trials, and whether it was told to end meanwhile."""


def _terminate(number: int, frame: FrameType | None) -> None:
    global _ending
    _ending = True
    if not _asking:
        raise SystemExit(128 + number)


@contextmanager
def _unterminated() -> Iterator[None]:
    """Put off termination, so that no trial is left running without an owner."""
    # blocking the signal in this thread would not do: Python has the main thread handle what any thread receives
    global _asking
    _asking = True
    try:
        yield
    finally:
        _asking = False
    if _ending:
        raise SystemExit(128 + signal.SIGTERM)
