"""Workers as Ray actors: the same workers, on whatever machines a Ray cluster has.

They meet in the study's storage as those of any other command do, so it must be one that every machine reaches.
"""

import logging
import os
import signal
import sys
from collections.abc import Collection
from typing import Any

import torch

from arith_lightning.search.address import admitted
from arith_lightning.search.pool import Job, Lost, Pool, WorkerDiedError
from arith_lightning.search.worker import Call, Worker

ROOM = 5.0
"""Seconds that a cluster has to find a free CPU; a worker without one shares those of others."""


class RayPool(Pool):
    """Workers that Ray starts.

    Args:
        workers: calls at a time.
        lost: told of workers that died or lost the storage.
        address: `local` for a cluster of this machine alone, or that of a running one.

    Raises:
        ValueError: Ray is not installed, does not start, or the address does not let this command in.
    """

    def __init__(self, workers: int, lost: Lost, address: str) -> None:
        super().__init__(workers, lost)
        try:
            import ray
        except ImportError as error:
            raise ValueError("--ray needs the package ray; pip install '.[ray]'") from error
        if address != "local":
            admitted(address)
        self.ray = ray
        # local: without it Ray would join a cluster that this machine is part of
        self.connect({"address": address} | ({"num_cpus": workers} if address == "local" else {}))
        self.actors: dict[int, Any] = {}
        self.rooms: dict[int, Any] = {}
        """Worker -> the CPU that the cluster keeps for it, if it has one."""
        self.calls: dict[int, Any] = {}
        """Worker -> Ray's reference to its answer."""

    def connect(self, where: dict[str, Any]) -> None:
        """Start a cluster, or join one.

        Raises:
            ValueError: that fails.
        """
        # unpickling a call imports what this process can
        path = os.pathsep.join(filter(None, sys.path))
        environment = {"env_vars": {"PYTHONPATH": path}}
        ours = signal.getsignal(signal.SIGTERM)
        try:
            self.ray.init(
                runtime_env=environment,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **where,
            )
        except BaseException as error:
            self.ray.shutdown()
            if not isinstance(error, Exception):
                raise
            raise ValueError(
                f"--ray needs Ray to start; got {first_cause(error)}; "
                "look into /tmp/ray/session_latest/logs, or leave --ray out"
            ) from error
        finally:
            signal.signal(signal.SIGTERM, ours)  # Ray's own would end the command without its answer

    def send(self, worker: int, function: Call, job: Job) -> None:
        """Start a call, and the worker if there is none."""
        if worker not in self.actors:
            self.actors[worker] = self.place(worker).remote(worker)
        self.calls[worker] = self.actors[worker].call.remote(function, job)

    def place(self, worker: int) -> Any:
        """Return a worker's class with a CPU of its own, or a share of others' where none is free."""
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        room = self.ray.util.placement_group([{"CPU": 1}])
        if room.wait(ROOM):
            self.rooms[worker] = room
            return self.ray.remote(num_cpus=1, scheduling_strategy=PlacementGroupSchedulingStrategy(room))(RayWorker)
        self.ray.util.remove_placement_group(room)
        return self.ray.remote(num_cpus=0)(RayWorker)

    def ready(self, workers: Collection[int], seconds: float) -> list[int]:
        """Return the workers that have answered or died."""
        calls = {self.calls[worker]: worker for worker in workers}
        done, _ = self.ray.wait(list(calls), num_returns=len(calls), timeout=seconds)
        return [calls[call] for call in done]

    def receive(self, worker: int) -> Any:
        """Return an answer; raise what the call raised, or WorkerDiedError."""
        try:
            return self.ray.get(self.calls[worker])
        except (self.ray.exceptions.RayActorError, self.ray.exceptions.ObjectLostError):
            self.end(worker)
            raise WorkerDiedError("a worker was killed") from None
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from None

    def end(self, worker: int) -> None:
        """Kill an actor, and give its CPU back."""
        if worker in self.actors:
            self.ray.kill(self.actors.pop(worker))
        if worker in self.rooms:
            self.ray.util.remove_placement_group(self.rooms.pop(worker))

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


def first_cause(error: BaseException) -> str:
    """Return the first line of what an error began with."""
    while cause := error.__cause__:
        error = cause
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
