"""Worker processes: each asks for a batch of trials, trains it, tells the results, until the study is full.

Workers share nothing but the storage, so it does not matter on which machine they run.
"""

import multiprocessing
import os
import signal
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import optuna
import torch
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import TrialState

import storage as studies
from objective import Batch, Result, value
from space import Setting, Space

BATCH = 8
"""Trials asked at once; an interrupt loses at most these."""
STARTUP = 32
"""Random trials before TPE models the space."""
SAMPLERS = ("tpe", "random", "qmc")
PRELOADED = ["optuna", "arith_lightning.config"]
"""What every worker imports; imported once, before the workers are forked."""

T = TypeVar("T")


class Work(NamedTuple):
    """What the workers of one command have in common."""

    space: Space
    storage: str
    sampler: str
    seed: int
    owner: studies.Owner
    compile: bool


class Pool:
    """One process a core with one torch thread each; none outlives the command, however that ends."""

    def __init__(self, workers: int) -> None:
        # forked from a process without threads, which has the slow imports behind it
        context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
        if os.name == "posix":
            context.set_forkserver_preload(PRELOADED)
        self.workers = workers
        self._executor = ProcessPoolExecutor(workers, context, _begin, (context.Lock(),))

    def search(self, work: Work) -> "list[Future[None]]":
        """Start every worker on a study."""
        return [self._executor.submit(search, work, index) for index in range(self.workers)]

    def submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Start one worker on a function."""
        return self._executor.submit(function, *arguments)

    def train(self, work: Work, settings: Sequence[Setting], seeds: Sequence[int]) -> "Future[list[Result]]":
        """Start one worker on settings."""
        return self._executor.submit(train, work.space, work.compile, settings, seeds)

    def stop(self) -> None:
        """End the workers now."""
        processes = multiprocessing.active_children()
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()


def search(work: Work, index: int) -> None:
    """Ask, train and tell batches until no trial is left to ask for.

    Args:
        work: the study and how it is searched.
        index: which worker of the command this is.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = studies.open_study(work.space, work.storage)
    study.sampler = sampler(work.sampler, work.seed, index, len(study.get_trials(deepcopy=False)))
    batch = Batch(work.space, work.compile)
    while trials := ask(study, work):
        try:
            results = batch.train([setting for _, setting in trials], range(work.space.seeds))
        except ValueError:
            for number, _ in trials:
                study.tell(number, state=TrialState.FAIL)
            raise
        for (number, _), result in zip(trials, results, strict=True):
            tell(study, number, result)


def ask(study: Study, work: Work) -> list[tuple[int, Setting]]:
    """Return the next batch as trial numbers and settings; empty when the study is full."""
    asked = []
    with _unterminated(), _lock:
        for _ in range(min(BATCH, studies.unasked(study, work.space.trials))):
            trial = study.ask()
            studies.claim(trial, work.owner)
            asked.append((trial.number, work.space.suggest(trial)))
    return asked


def tell(study: Study, number: int, result: Result) -> None:
    """Record what a trial's seeds did, and its value."""
    trial = optuna.trial.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
    trial.set_user_attr("result", result._asdict())
    trial.set_user_attr("diverged", result.diverged)
    study.tell(number, value(result))


def sampler(name: str, seed: int, index: int, trials: int) -> BaseSampler:
    """Return a sampler whose proposals no other worker, machine or earlier start has made.

    Args:
        name: one of SAMPLERS.
        seed: the command's seed.
        index: the worker's index.
        trials: trials that the study holds already.
    """
    if name == "qmc":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # one sequence, whose next index all workers take from the storage
            return QMCSampler(scramble=True, seed=seed, warn_independent_sampling=False)
    host = zlib.crc32(str(studies.owner()["host"]).encode())
    own = int(np.random.SeedSequence([seed, host, index, trials]).generate_state(1)[0])
    if name == "random":
        return RandomSampler(seed=own)
    return TPESampler(seed=own, n_startup_trials=STARTUP, multivariate=True, constant_liar=True)


def train(space: Space, compile: bool, settings: Sequence[Setting], seeds: Sequence[int]) -> list[Result]:
    """Train settings outside of a study."""
    return Batch(space, compile).train(settings, seeds)


_lock: Any = threading.Lock()
"""Held while asking, so that workers of one command do not ask for more trials than are wanted."""


def _begin(lock: Any) -> None:
    global _lock
    _lock = lock
    torch.set_num_threads(1)
    # Ctrl-C reaches the whole process group; the command decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _unterminated() -> Iterator[None]:
    """Put off termination, so that no trial is left running without an owner."""
    if os.name != "posix":
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _follow_parent() -> None:
    """Leave when the command has died, even by kill -9."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
