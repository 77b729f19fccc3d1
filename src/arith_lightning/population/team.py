"""Members stepped on several cores: each core has a share of them, in a process forked once the steps are compiled.

Compiled steps give a member the same bits in any share of two members or more, of dense networks in the same tile: the
vectors of their units span members (tests/test_bits.py).
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import Tensor

from arith_lightning.population.dynamics import Dynamics
from arith_lightning.population.members import Columns
from arith_lightning.population.optimizers import State
from arith_lightning.private import InductorError, TorchDynamoException, tree_map

log = logging.getLogger(__name__)
SHARE = 2
"""Fewest members in a share; a single one has compiled steps of its own."""


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Team:
    """Processes that take the steps: this one, and for compiled ones on a CPU others beside it.

    Args:
        dynamics: the steps.
        workers: how many processes, this one included.
    """

    def __init__(self, dynamics: Dynamics, workers: int) -> None:
        self.dynamics, self.workers = dynamics, workers
        self.others: list[tuple[Any, Connection]] = []

    def attempt(self, state: State, columns: Columns, step: int, count: int, compile: bool) -> tuple[State, bool]:
        """Take steps as `run` does, not compiled where a network of one's own cannot be; return also whether they were.

        Raises:
            ValueError: one of the processes was ended from outside.
        """
        try:
            return self.run(state, columns, step, count, compile), compile
        except (InductorError, TorchDynamoException):
            if not self.dynamics.module.of_torch:
                raise
        log.warning("this network's steps cannot be compiled; they are taken one by one, several times slower")
        return self.run(state, columns, step, count, False), False

    def run(self, state: State, columns: Columns, step: int, count: int, compile: bool) -> State:
        """Take `count` steps from `step` on.

        Raises:
            ValueError: one of the processes was ended from outside.
        """
        if not compile or columns.seed.device.type != "cpu":
            return self.dynamics.run(state, columns, step, count, compile)
        tile = self.dynamics.even(len(columns.seed))
        first, *rest = self.shares(len(columns.seed), tile)

        def share(which: Tensor) -> tuple[State, Columns]:
            return {name: value[:, which] for name, value in state.items()}, columns.select(which)

        try:
            if rest and not self.others:
                self.dynamics.run(*share(first), step, min(count, 2), True, tile)  # compiled before it is forked
                self.fork(self.workers - 1)
            used = [connection for _, connection in self.others[: len(rest)]]
            for connection, which in zip(used, rest, strict=True):
                connection.send((tree_map(Tensor.numpy, share(which)), step, count, tile))
            ends = [self.dynamics.run(*share(first), step, count, True, tile)]
            for connection in used:
                end = connection.recv()
                if isinstance(end, Exception):
                    raise end
                ends.append(tree_map(torch.from_numpy, end))
        except (EOFError, ConnectionError) as error:
            self.dismiss()
            raise ValueError(
                "no process of a run may be ended alone; one was, from outside or for want of memory; "
                "the same command continues from the last evaluation"
            ) from error
        except BaseException:
            self.dismiss()
            raise
        return {name: torch.cat([end[name] for end in ends], dim=1) for name in state}

    def shares(self, members: int, tile: int) -> Sequence[Tensor]:
        """Return which of the members each process steps."""
        every = torch.arange(members)
        if not self.dynamics.dense:
            return every.tensor_split(max(1, min(self.workers, members // SHARE)))
        tiles = every.split(tile)
        groups = torch.arange(len(tiles)).tensor_split(min(self.workers, len(tiles)))
        return [torch.cat([tiles[k] for k in group]) for group in groups]

    def fork(self, number: int) -> None:
        """Start the other processes."""
        context = multiprocessing.get_context("fork")
        for _ in range(number):
            mine, theirs = context.Pipe()
            held = [mine, *(connection for _, connection in self.others)]
            process = context.Process(target=serve, args=(self.dynamics, theirs, held), daemon=True)
            process.start()
            theirs.close()
            self.others.append((process, mine))

    def dismiss(self) -> None:
        """End the other processes at once."""
        for process, connection in self.others:
            process.kill()
            process.join()
            connection.close()
        self.others = []


def serve(dynamics: Dynamics, connection: Connection, held: list[Connection]) -> None:
    """Take steps for the process that asks for them, as long as it lives.

    Args:
        dynamics: the steps.
        connection: where shares come from and go to.
        held: the other ends of pipes, which must not stay open here when that process has ended.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the one that asked ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in held:
        other.close()
    with suppress(EOFError, ConnectionError):
        while True:
            share, step, count, tile = connection.recv()
            try:
                state, columns = tree_map(torch.from_numpy, share)
                end = dynamics.run(state, columns, step, count, True, tile)
            except Exception as error:  # raised by the process that asked
                connection.send(error)
            else:
                connection.send(tree_map(Tensor.numpy, end))
