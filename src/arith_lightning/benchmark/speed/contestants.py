"""Who is timed: each gets ready once, then tells its rate whenever it is its turn."""

import copy
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from arith_lightning.benchmark.speed.peer import Peer
from arith_lightning.benchmark.speed.rows import Row
from arith_lightning.population import Population
from arith_lightning.population.compilation import CACHE

MATRIX = 1024
"""Side of the matrices whose product is the limit."""


class Contestant(Protocol):
    """One line of a table for one number of members.

    Attributes:
        name: who it is.
        members: models that it trains at once.
        unit: what its rate counts.
    """

    name: str
    members: int
    unit: str

    def prepare(self, seconds: float) -> tuple[float, str] | None:
        """Get ready for turns of so many seconds; return the CPU seconds of compiling, if any, and from what."""

    def rate(self) -> float:
        """Take a turn; return what was done in a CPU second."""


class Here:
    """A contestant of this process.

    Args:
        name: who it is.
        run: takes a number of steps; returns the CPU seconds of them.
        members: models that take each step.
        compiled: whether the first call compiles.
        scale: what a step counts.
        unit: what the rate counts.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[int], float],
        members: int = 1,
        compiled: bool = False,
        scale: float = 1.0,
        unit: str = "updates/s",
    ) -> None:
        self.name, self.run, self.members, self.compiled = name, run, members, compiled
        self.scale, self.unit, self.steps = scale * members, unit, 4

    def prepare(self, seconds: float) -> tuple[float, str] | None:
        """Take a first call, and find how many steps fill a turn."""
        before, files = spent(), kept()
        self.run(self.steps)
        first = spent() - before
        again = self.run(self.steps)
        while again < seconds / 8:
            self.steps *= 4
            again = self.run(self.steps)
        self.steps = max(4, round(self.steps * seconds / again))
        if not self.compiled:
            return None
        return max(0.0, first - again), "cold" if kept() > files else "warm"

    def rate(self) -> float:
        """Take the steps."""
        return self.steps * self.scale / self.run(self.steps)


class There:
    """A contestant of the other process.

    Args:
        name: who it is.
        peer: the process.
        row: name of the model.
        members: models that it trains at once.
        steps: steps of one compiled call; of a product, the side of its matrices.
        unit: what the rate counts.
    """

    def __init__(self, name: str, peer: Peer, row: str, members: int, steps: int, unit: str = "updates/s") -> None:
        self.name, self.peer, self.members, self.seconds, self.unit = name, peer, members, 0.0, unit
        self.order = {"row": row, "form": name.split()[-1], "members": members, "steps": steps}

    def prepare(self, seconds: float) -> tuple[float, str] | None:
        """Compile, and call once."""
        self.seconds = seconds
        return float(self.peer.ask(do="prepare", **self.order)["compile"]), "cold"

    def rate(self) -> float:
        """Have it take steps for a turn."""
        return float(self.peer.ask(do="run", seconds=self.seconds, **self.order)["rate"])


def spent() -> float:
    """Return the CPU seconds of this process and of the compilers that it has called."""
    return sum(os.times()[:4])


def kept() -> int:
    """Return the number of files in the folder of compiled steps, to which other processes may add, too."""
    return sum(len(files) for *_, files in os.walk(os.environ[CACHE]))


def timed(run: Callable[[int], Any]) -> Callable[[int], float]:
    """Return a function of steps that returns their CPU seconds."""

    def measured(steps: int) -> float:
        start = time.process_time()
        run(steps)
        return time.process_time() - start

    return measured


def plain_loop(row: Row) -> Callable[[int], float]:
    """Return n steps of one model as a tutorial takes them: torch's generator, autograd and Adam."""
    module = copy.deepcopy(row.module)
    network = module.network if row.plain is None else row.plain
    optimizer = torch.optim.Adam(network.parameters(), lr=module.learning_rate.item())
    bounded = [(module.get_parameter(name), interval) for name, interval in module.bounds().items()]
    layers, weight = list(module.layers().values()), module.penalty_weight.item()

    def run(steps: int) -> None:
        for _ in range(steps):
            x, y = row.batch(row.data.batch_size)
            loss = module.error(network(x), x, y)
            if weight:
                loss = loss + weight * sum(layer.penalty() for layer in layers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for parameter, (low, high) in bounded:
                    parameter.clamp_(low, high)

    return timed(run)


class Clock(Callback):
    """Reads the CPU time of the steps alone, without the Trainer's start and end."""

    seconds = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start."""
        self.seconds -= time.process_time()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Stop."""
        self.seconds += time.process_time()


def trainer(row: Row) -> Callable[[int], float]:
    """Return n steps of one model in a Trainer with everything optional switched off."""

    def run(steps: int) -> float:
        clock = Clock()
        Trainer(
            max_steps=steps,
            max_epochs=-1,
            accelerator="cpu",
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
        ).fit(copy.deepcopy(row.module), row.data)
        return clock.seconds

    return run


def population(row: Row, members: int, compile: bool) -> Callable[[int], float]:
    """Return n steps of a population, each member with a stream of its own."""
    whole = Population(row.module, row.data, seeds=range(members))
    state, columns = whole.live.state, whole.live.columns
    return timed(lambda steps: whole.dynamics.run(state, columns, 0, steps, compile))


def sgemm() -> Here:
    """Return the product of two matrices of 1024 x 1024, in GFLOP/s."""
    a, b = torch.rand(MATRIX, MATRIX), torch.rand(MATRIX, MATRIX)
    out = torch.empty(MATRIX, MATRIX)

    def run(steps: int) -> None:
        for _ in range(steps):
            torch.mm(a, b, out=out)

    return Here("sgemm", timed(run), scale=2 * MATRIX**3 / 1e9, unit="GFLOP/s")


def contestants(row: Row, key: str, flop: int, peer: Peer | None, compile: bool) -> list[Contestant]:
    """Return everyone who is timed in a row.

    Args:
        row: the model.
        key: its name.
        flop: operations of an update in products of matrices.
        peer: JAX, if there is one.
        compile: whether populations are compiled.
    """
    found: list[Contestant] = [Here("PyTorch loop", plain_loop(row)), Here("Lightning", trainer(row))]
    found += [Here("population", population(row, size, compile), size, compile) for size in row.sizes]
    found += [sgemm()] if flop else []
    found += [There("JAX sgemm", peer, "sgemm", 1, MATRIX, "GFLOP/s")] if flop and peer else []
    forms = ("JAX natural", "JAX tuned") if row.tuned else ("JAX natural",)
    for form in forms if peer is not None else ():
        for size in row.sizes:
            steps = min(4096, max(16, round(2e9 / max(flop, 1e5) / size)))
            found.append(There(form, peer, key, size, steps))  # type: ignore[arg-type]
    return found
