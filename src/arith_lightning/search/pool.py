"""Processes for workers: one a core with one torch thread each; none outlives the command, however that ends."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from arith_lightning.search.studies import StorageLostError
from arith_lightning.search.worker import begin

RESTARTS = 5
"""How often a command starts its workers anew before it gives up."""
PRELOADED = ["arith_lightning.search.worker"]
"""What every worker imports; imported once, before the workers are forked."""

Lost = Callable[[str], None]
"""Told why workers were lost, before new ones are started."""


class Pool:
    """Workers on this machine, replaced when they are killed or lose the storage."""

    def __init__(self, workers: int, lost: Lost) -> None:
        # forked from a process without threads, which has the slow imports behind it
        self._context: Any = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
        if os.name == "posix":
            self._context.set_forkserver_preload(PRELOADED)
        self.workers, self.lost, self.restarts = workers, lost, 0
        self._start()

    def each(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any] | None]:
        """Call `function` on each tuple of arguments; yield (index, result) as they come, and None now and then."""
        left = dict(enumerate(arguments))
        while left:
            futures: dict[Future[Any], int] = {}
            try:
                for index, values in left.items():
                    futures[self._executor.submit(function, *values)] = index
                waiting = set(futures)
                while waiting:
                    done, waiting = wait(waiting, timeout=0.5, return_when="FIRST_COMPLETED")
                    for future in done:
                        result = future.result()
                        del left[futures[future]]
                        yield futures[future], result
                    yield None
            except (BrokenProcessPool, StorageLostError) as error:
                self.restart("a worker was killed" if isinstance(error, BrokenProcessPool) else str(error))

    def restart(self, reason: str) -> None:
        """Start all workers anew.

        Raises:
            ValueError: that has not helped before.
        """
        self.stop()
        if self.restarts == RESTARTS:
            raise ValueError(
                f"{reason}, after {RESTARTS} new starts; what is finished is kept, the same command continues"
            )
        self.restarts += 1
        self.lost(reason)
        self._start()

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

    def _start(self) -> None:
        self._executor = ProcessPoolExecutor(self.workers, self._context, _begin, (self._context.Lock(),))


def _begin(lock: Any) -> None:
    begin(lock)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """Leave when the command has died, even by kill -9."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
