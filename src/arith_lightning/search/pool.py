"""Workers, and what is done when one dies: its call is made again by a new one, and the others go on.

A pool says how a worker is started, asked and heard; `each` is the same for all of them.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
from tqdm import tqdm

from arith_lightning import processes
from arith_lightning.search.studies import StorageLostError
from arith_lightning.search.worker import Call, Worker

IN_A_ROW = 5
"""How often each worker may be lost before any call is answered; then a command gives up."""
TICK = 0.5
"""Seconds after which a waiting pool lets its user look around."""

Job = tuple[Any, ...]
Lost = Callable[[str, int], None]
"""Told why a worker was lost, and which, before its call is made again."""


class WorkerDiedError(Exception):
    """A worker has ended without an answer."""


class Pool(ABC):
    """Workers, each with an index from 0.

    Args:
        workers: calls at a time.
        lost: told of workers that died or lost the storage.
    """

    def __init__(self, workers: int, lost: Lost) -> None:
        self.workers, self.lost, self.setbacks = workers, lost, 0

    @abstractmethod
    def send(self, worker: int, function: Call, job: Job) -> None:
        """Start a call, and the worker if there is none."""

    @abstractmethod
    def ready(self, workers: Collection[int], seconds: float) -> list[int]:
        """Return the workers that have answered or died, after `seconds` at most."""

    @abstractmethod
    def receive(self, worker: int) -> Any:
        """Return an answer; raise what the call raised, or WorkerDiedError."""

    @abstractmethod
    def end(self, worker: int) -> None:
        """End a worker now, if there is one."""

    def stop(self) -> None:
        """End all workers now."""
        for worker in range(self.workers):
            self.end(worker)

    def each(self, function: Call, jobs: Iterable[Job | None]) -> Iterator[tuple[int, Any] | None]:
        """Call `function(worker, *job)` for each job; yield (index, answer) as they come, and None now and then.

        Args:
            function: what to call, where the worker is.
            jobs: taken one by one as workers become free; None where there is nothing to do for now.

        Raises:
            Exception: what a call raised.
            ValueError: workers are lost again and again.
        """
        coming, index = iter(jobs), 0
        again: list[tuple[int, Job]] = []
        busy: dict[int, tuple[int, Job]] = {}
        left = True
        try:
            while left or again or busy:
                for worker in [worker for worker in range(self.workers) if worker not in busy]:
                    if again:
                        busy[worker] = again.pop()
                    else:
                        job = next(coming, ()) if left else ()
                        left = job != ()
                        if not job:
                            break
                        busy[worker], index = (index, job), index + 1
                    self.send(worker, function, busy[worker][1])
                if left and not busy:
                    time.sleep(TICK)
                for worker in self.ready(busy, TICK) if busy else ():
                    call = busy.pop(worker)
                    try:
                        answer = self.receive(worker)
                    except (WorkerDiedError, StorageLostError) as error:
                        self.setback(str(error))
                        self.lost(str(error), worker)
                        again.append(call)
                    else:
                        self.setbacks = 0
                        yield call[0], answer
                yield None
        finally:
            for worker in busy:
                self.end(worker)

    def setback(self, reason: str) -> None:
        """Count what went wrong since the last answer.

        Raises:
            ValueError: trying again does not help.
        """
        self.setbacks += 1
        if self.setbacks > IN_A_ROW * self.workers:
            raise ValueError(
                f"some batch must be finished between losses; got {self.setbacks} without one, the last: {reason}; "
                "what is finished is kept, the same command continues"
            )


class Processes(Pool):
    """Workers on this machine: a process with one torch thread each; none outlives the command."""

    def __init__(self, workers: int, lost: Lost) -> None:
        super().__init__(workers, lost)
        self.context = processes.context("arith_lightning.search.worker")
        self.running: dict[int, tuple[Any, Connection]] = {}
        """Worker -> its process, and this end of its pipe."""

    def send(self, worker: int, function: Call, job: Job) -> None:
        """Start a call, and the worker if there is none."""
        if worker not in self.running:
            pipe, theirs = self.context.Pipe()
            process = self.context.Process(target=serve, args=(theirs, worker), daemon=True)
            with uninterrupted():
                process.start()
            theirs.close()
            self.running[worker] = process, pipe
        with suppress(OSError):  # it has died; receiving says so
            self.running[worker][1].send((function, job))

    def ready(self, workers: Collection[int], seconds: float) -> list[int]:
        """Return the workers whose pipes hold an answer or have lost their other end."""
        pipes = {self.running[worker][1]: worker for worker in workers}
        return [pipes[pipe] for pipe in wait(list(pipes), seconds)]  # type: ignore[index]

    def receive(self, worker: int) -> Any:
        """Return an answer; raise what the call raised, or WorkerDiedError."""
        process, pipe = self.running[worker]
        try:
            answer, error = pipe.recv()
        except (EOFError, OSError):
            self.end(worker)
            raise WorkerDiedError(f"a worker {ending(process.exitcode)}") from None
        if error is not None:
            raise error
        return answer

    def end(self, worker: int) -> None:
        """Kill a worker's process."""
        if worker in self.running:
            process, pipe = self.running.pop(worker)
            process.kill()
            process.join(timeout=5)
            pipe.close()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off, for good in the processes that are started: it reaches the whole group, the command decides."""
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ending(code: int | None) -> str:
    """Return what became of a process with an exit code."""
    if code is None or code >= 0:
        return "ended"
    return f"was killed by {signal.Signals(-code).name}"


def serve(pipe: Connection, index: int) -> None:
    """Answer calls until the command ends; what a worker's process does."""
    torch.set_num_threads(1)
    # torch's compiler counts with tqdm, whose own lock is a semaphore that a killed process leaves behind
    tqdm.set_lock(threading.RLock())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Lightning puts termination off until a step ends; a handler of ours comes first
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))
    threading.Thread(target=follow_parent, daemon=True).start()
    worker = Worker(index)
    with suppress(EOFError, OSError):  # the command has died
        while True:
            function, job = pipe.recv()
            answer, error = None, None
            try:
                answer = function(worker, *job)
            except Exception as raised:
                raised.add_note(traceback.format_exc())
                error = portable(raised)
            pipe.send((answer, error))


def follow_parent() -> None:
    """Leave when the command has died, even by kill -9."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def portable(error: Exception) -> Exception:
    """Return an exception that another process can read."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return copy
