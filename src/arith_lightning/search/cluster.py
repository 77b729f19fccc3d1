"""Workers as Ray actors: the same workers, on whatever machines a Ray cluster has.

They meet in the study's storage as those of any other command do, so it must be one that every machine reaches.
"""

import os
import sys
from collections.abc import Collection
from typing import Any

import torch

from arith_lightning.search.pool import Job, Lost, Pool, WorkerDiedError
from arith_lightning.search.worker import Call, Worker


class RayPool(Pool):
    """Workers that Ray starts.

    Args:
        workers: calls at a time.
        lost: told of workers that died or lost the storage.
        address: `local` for a cluster of this machine alone, or that of a running one.

    Raises:
        ValueError: Ray is not installed, or the address does not answer.
    """

    def __init__(self, workers: int, lost: Lost, address: str) -> None:
        super().__init__(workers, lost)
        try:
            import ray
        except ImportError as error:
            raise ValueError("--ray needs the package ray; pip install '.[ray]'") from error
        # unpickling a call imports what this process can
        path = os.pathsep.join(filter(None, sys.path))
        environment: dict[str, Any] = {"env_vars": {"PYTHONPATH": path}}
        where: dict[str, Any] = {"num_cpus": workers} if address == "local" else {"address": address}
        try:
            ray.init(
                runtime_env=environment, include_dashboard=False, log_to_driver=False, logging_level="error", **where
            )
        except ConnectionError as error:
            raise ValueError(f"--ray must be the address of a running cluster; got {address} ({error})") from error
        self.ray = ray
        self.actors: dict[int, Any] = {}
        self.calls: dict[int, Any] = {}
        """Worker -> Ray's reference to its answer."""

    def send(self, worker: int, function: Call, job: Job) -> None:
        """Start a call, and the worker if there is none."""
        if worker not in self.actors:
            self.actors[worker] = self.ray.remote(num_cpus=1)(RayWorker).remote(worker)
        self.calls[worker] = self.actors[worker].call.remote(function, job)

    def ready(self, workers: Collection[int], seconds: float) -> list[int]:
        """Return the workers that have answered or died."""
        calls = {self.calls[worker]: worker for worker in workers}
        done, _ = self.ray.wait(list(calls), num_returns=len(calls), timeout=seconds)
        return [calls[call] for call in done]

    def receive(self, worker: int) -> Any:
        """Return an answer; raise what the call raised, or WorkerDiedError."""
        try:
            return self.ray.get(self.calls[worker])
        except self.ray.exceptions.RayActorError:
            self.end(worker)
            raise WorkerDiedError("a worker was killed") from None

    def end(self, worker: int) -> None:
        """Kill an actor."""
        if worker in self.actors:
            self.ray.kill(self.actors.pop(worker))

    def stop(self) -> None:
        """End the workers; a cluster that ran before goes on without them."""
        super().stop()
        self.ray.shutdown()


class RayWorker(Worker):
    """A worker that is called by name."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        torch.set_num_threads(1)

    def call(self, function: Call, job: Job) -> Any:
        """Make a call."""
        return function(self, *job)
