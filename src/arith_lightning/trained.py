"""Many runs: each is one command of `fit`, trained once, and recalled from its folder afterwards."""

import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import arith_lightning.fit as fit
from arith_lightning import checkpoints, fitting, processes, results, runs
from arith_lightning.config import Experiment, experiment
from arith_lightning.evaluation import Rate
from arith_lightning.population import Population

QUICK_SEEDS, QUICK_STEPS = 4, 20


@dataclass(frozen=True)
class Run:
    """One command of `fit`.

    Args:
        config: a configuration file in the folder, without its ending, such as `nac_add` or `systems/nac_sub`.
        flags: what the command changes.
        folder: where that is.
    """

    config: str
    flags: tuple[str, ...] = ()
    folder: str = "configs"

    @property
    def name(self) -> str:
        """Name of the run's folder in logs."""
        return Path(self.config).name

    def arguments(self, quick: bool = False) -> list[str]:
        """Return the arguments after `fit`; a quick run has few seeds and steps and answers nothing."""
        short = [f"--seeds={QUICK_SEEDS}", f"--trainer.max_steps={QUICK_STEPS}", f"--evaluate_every={QUICK_STEPS}"]
        return ["--config", f"{self.folder}/{self.config}.yaml", *self.flags, *(short if quick else [])]

    def command(self) -> str:
        """Return the command as somebody would type it."""
        return "python -m arith_lightning.fit " + shlex.join(self.arguments())


@dataclass
class Trained:
    """A finished run: what it answered, and its members."""

    run: Run
    folder: Path
    experiment: Experiment

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The run's summary.json."""
        return results.read(self.folder)

    @property
    def rate(self) -> Rate:
        """Share of seeds that solve it."""
        return Rate(self.summary["successes"], self.summary["n"])

    @property
    def why(self) -> str:
        """The finding that most of the unsolved members have, and how many they are; nothing where all are solved."""
        if "diagnoses" not in self.summary:  # a run from before there were findings
            return "" if self.rate.successes == self.rate.n else "not looked at"
        main = max(self.summary["diagnoses"], key=lambda each: each["members"], default=None)
        return f"{main['finding']}, {main['members']} of {main['of']}" if main else ""

    @cached_property
    def population(self) -> Population:
        """The members at their judged step."""
        config = self.experiment.config
        seeds = range(config["seeds"]) if isinstance(config["seeds"], int) else config["seeds"]
        if str(config["trainer"].get("precision", "")).startswith("64"):
            self.experiment.module.double()
        population = Population(self.experiment.module, self.experiment.data, seeds, self.experiment.settings)
        population.set_extra_state(checkpoints.state(self.checkpoint))
        return population

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The errors and the success rate at every evaluation."""
        return self.checkpoint["callbacks"]["Dashboard"]["history"]

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The run's checkpoint; ValueError if it is none."""
        return checkpoints.read(self.folder / checkpoints.LAST)


def whole(folder: Path) -> bool:
    """Return whether a run is finished and its answer can be read: a summary, and a row for each network."""
    try:
        rows = (folder / "runs.csv").read_text(encoding="utf-8").splitlines()
        return results.read(folder)["n"] == len(rows) - 1
    except (OSError, ValueError, TypeError, KeyError):
        return False


def recall(run: Run, quick: bool = False) -> Trained | None:
    """Return the run if it has been finished with the present content of its configuration."""
    wanted = experiment(run.arguments(quick))
    for folder in reversed(runs.versions(runs.LOGS / run.name)):
        config = configured(folder) if whole(folder) else {}
        if all(config.get(key) == value for key, value in wanted.config.items() if key != "config"):
            return Trained(run, folder, wanted)
    return None


def configured(folder: Path) -> dict[str, Any]:
    """Return a run's configuration; nothing where it cannot be read."""
    try:
        content = yaml.safe_load(runs.recorded(folder) or "")
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, dict) else {}


def prepare(wanted: Sequence[Run], quick: bool, workers: int, console: Console) -> dict[Run, Trained]:
    """Return every run, trained; shows how far those that have to be trained are."""
    known = {run: recall(run, quick) for run in wanted}
    missing = [run for run, trained in known.items() if trained is None]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    if missing:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("runs", total=100 * len(missing))

            def advance(run: Run, share: float) -> None:
                progress.update(task, advance=100 * share, description=f"runs ({run.name})")

            train(missing, quick, workers, advance)
    found = {run: known[run] or recall(run, quick) for run in wanted}
    lost = [run.command() for run, trained in found.items() if trained is None]
    assert not lost, f"trained but not found: {lost}"
    return {run: trained for run, trained in found.items() if trained is not None}


def train(missing: Sequence[Run], quick: bool, workers: int, advance: Callable[[Run, float], None]) -> None:
    """Train runs side by side, one process each; an interrupted one goes on when asked for again.

    Args:
        missing: what to train.
        quick: see `Run.arguments`.
        workers: processes at a time.
        advance: told every so often which share of a run has been added.

    Raises:
        ValueError: a run failed; the message is its last words.
    """
    context = processes.context("arith_lightning.fitting")
    running: list[Any] = []
    cores = max(1, workers // len(missing))

    def one(run: Run) -> None:
        receiver, sender = context.Pipe(duplex=False)
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as said:
            arguments = [*run.arguments(quick), f"--workers={cores}"]
            process = context.Process(target=_fit, args=(arguments, sender, said.name))
            process.start()
            running.append(process)
            sender.close()
            done = 0.0
            with suppress(EOFError):
                while True:
                    done, before = receiver.recv(), done
                    advance(run, done - before)
            process.join()
            last = [line.strip() for line in said if line.strip()][-1:]
        if process.exitcode:
            killed = process.exitcode < 0
            reason = f"its process was ended by {signal.Signals(-process.exitcode).name}" if killed else "".join(last)
            raise ValueError(f"a run failed: {reason}; alone it is {run.command()}")
        advance(run, 1 - done)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for future in [pool.submit(one, run) for run in missing]:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise


class Reporting(Callback):
    """Sends down a pipe, at every evaluation, which share of its steps a run has taken."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send it."""
        self.pipe.send(trainer.global_step / trainer.max_steps)


def _fit(arguments: list[str], pipe: Connection, said: str) -> None:
    """Be the command `fit`, whose messages go into a file."""
    for path, stream in ((os.devnull, sys.stdout), (said, sys.stderr)):
        os.dup2(os.open(path, os.O_WRONLY), stream.fileno())
    sys.argv = [fit.__file__, *arguments]
    sys.exit(fitting.main([Reporting(pipe)]))
