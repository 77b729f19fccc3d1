"""Workers as Ray core tasks: the same workers, on whatever machines a Ray cluster has.

They meet in the study's storage as those of any other command do, so it must be one that every machine reaches.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from arith_lightning.search.pool import RESTARTS, Lost
from arith_lightning.search.studies import StorageLostError
from arith_lightning.search.worker import begin


class RayPool:
    """Stands in for `pool.Pool`.

    Args:
        workers: tasks at a time.
        lost: told why workers were lost.
        address: `local` for a cluster of this machine alone, or that of a running one.

    Raises:
        ValueError: Ray is not installed, or the address does not answer.
    """

    def __init__(self, workers: int, lost: Lost, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise ValueError("--ray needs the package ray; pip install '.[ray]'") from error
        # unpickling a task imports what this process can
        path = os.pathsep.join(filter(None, sys.path))
        environment: dict[str, Any] = {"env_vars": {"PYTHONPATH": path}}
        where: dict[str, Any] = {"num_cpus": workers} if address == "local" else {"address": address}
        try:
            ray.init(
                runtime_env=environment, include_dashboard=False, log_to_driver=False, logging_level="error", **where
            )
        except ConnectionError as error:
            raise ValueError(f"--ray must be the address of a running cluster; got {address} ({error})") from error
        self.ray, self.workers, self.lost, self.restarts = ray, workers, lost, 0

    def each(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any] | None]:
        """Call `function` on each tuple of arguments; yield (index, result) as they come, and None now and then."""
        task = self.ray.remote(num_cpus=1, max_retries=0)(_call)
        left = dict(enumerate(arguments))
        while left:
            tasks = {task.remote(function, values): index for index, values in left.items()}
            try:
                while tasks:
                    done, _ = self.ray.wait(list(tasks), timeout=0.5)
                    for one in done:
                        result = self.ray.get(one)
                        index = tasks.pop(one)
                        del left[index]
                        yield index, result
                    yield None
            except (self.ray.exceptions.WorkerCrashedError, StorageLostError) as error:
                self._cancel(tasks)
                self.restart(str(error).splitlines()[0])
            finally:
                self._cancel(tasks)

    def restart(self, reason: str) -> None:
        """Queue lost work again; Ray starts new workers by itself.

        Raises:
            ValueError: that has not helped before.
        """
        if self.restarts == RESTARTS:
            raise ValueError(
                f"{reason}, after {RESTARTS} new starts; what is finished is kept, the same command continues"
            )
        self.restarts += 1
        self.lost(reason)

    def stop(self) -> None:
        """End the workers; a cluster that ran before goes on without them."""
        self.ray.shutdown()

    def _cancel(self, tasks: dict[Any, int]) -> None:
        for one in tasks:
            self.ray.cancel(one, force=True)


def _call(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    import threading

    # on a cluster there is no lock between workers: a study may end up to a batch a worker above its number of trials
    begin(threading.Lock())
    return function(*values)
