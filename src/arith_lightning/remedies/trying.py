"""One configuration tried: trained by a worker, and kept as a file that `fit` runs.

Beside it lie a row for each member and, as JSON, why members failed.
"""

import csv
import io
import json
import math
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console

from arith_lightning import quick, runs
from arith_lightning.callbacks import Doctor
from arith_lightning.config import experiment, seeds_of
from arith_lightning.evaluation import Rate
from arith_lightning.population import Population
from arith_lightning.search.worker import Worker

COLUMNS = ("seed", "success", "error", "step")


@dataclass(frozen=True)
class Tried:
    """What the members of a configuration did.

    Attributes:
        success: whether each solves it.
        errors: the error of each by the dataset's criterion; infinite of one that has diverged.
        step: steps behind them.
        found: why members failed, the commonest finding first, as `Diagnosis.plain`.
    """

    success: list[bool]
    errors: list[float]
    step: int
    found: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rate(self) -> Rate:
        """Share of members that solve it."""
        return Rate(sum(self.success), len(self.success))

    @property
    def median(self) -> float:
        """Median error, the lower one of two."""
        return sorted(self.errors)[(len(self.errors) - 1) // 2]

    @property
    def worth(self) -> tuple[float, float]:
        """What tries are sorted by: the success rate, then the median error."""
        return self.rate.value, -self.median


class Until(Callback):
    """Ends training at the first evaluation after a moment.

    Args:
        deadline: the moment, in seconds since 1970.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline, self.step = deadline, 0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the clock."""
        if trainer.global_step < trainer.max_steps and time.time() > self.deadline:
            trainer.should_stop, self.step = True, trainer.global_step


def measure(worker: Worker, config: str, deadline: float) -> Tried:
    """Train a configuration as `fit` does, to its end or to a deadline; what a pool's worker does.

    Args:
        worker: unused; a pool hands it on.
        config: path of a configuration.
        deadline: seconds since 1970.
    """
    built = experiment(["--config", config])
    population = Population(
        built.module,
        built.data,
        seeds_of(built.config["seeds"]),
        built.settings,
        **{name: built.config[name] for name in ("evaluate_every", "compile", "drop_decided")},
    )
    until, doctor = Until(deadline), Doctor(Console(quiet=True))
    precision = {"precision": given} if (given := built.config["trainer"]["precision"]) else {}
    quick.fit(population, built.max_steps, callbacks=[until, doctor], **precision)
    record = population.record
    errors = [
        math.inf if diverged or math.isnan(error) else error
        for error, diverged in zip(record.error.tolist(), record.diverged.tolist(), strict=True)
    ]
    found = [each.plain() for each in doctor.found]
    return Tried(population.success.tolist(), errors, until.step or built.max_steps, found)


def path(folder: Path, name: str) -> Path:
    """Return where a try's configuration is kept; its members' rows have the same name and end in .csv."""
    return folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', name)}.yaml"


def recall(folder: Path, name: str, config: str) -> Tried | None:
    """Return an earlier try of this very configuration; None without one."""
    file = path(folder, name)
    try:
        if file.read_text(encoding="utf-8") != config:
            return None
        with file.with_suffix(".csv").open(newline="", encoding="utf-8") as content:
            rows = list(csv.DictReader(content))
        success, errors = [row["success"] == "True" for row in rows], [float(row["error"]) for row in rows]
        found = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        return Tried(success, errors, int(rows[0]["step"]), found)
    except (OSError, ValueError, KeyError, IndexError):
        return None


def begin(folder: Path, name: str, config: str) -> Path:
    """Write the configuration of a try and return its path; rows of another configuration are no longer its own."""
    folder.mkdir(exist_ok=True)
    file = path(folder, name)
    if recall(folder, name, config) is None:
        file.with_suffix(".csv").unlink(missing_ok=True)  # the rows are written last, and mark what is whole
        runs.write(file, config)
    return file


def keep(file: Path, tried: Tried, seeds: list[int]) -> None:
    """Write why members failed and the rows of a try, whole or not at all."""
    runs.write(file.with_suffix(".json"), json.dumps(tried.found, indent=2))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for k, (success, error) in enumerate(zip(tried.success, tried.errors, strict=True)):
        writer.writerow([seeds[k % len(seeds)], success, error, tried.step])
    runs.write(file.with_suffix(".csv"), text.getvalue())
