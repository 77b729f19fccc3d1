"""A finished run, taken up again: `run = arith_lightning.load("logs/my/version_0")`, then `run.best(x)`."""

import csv
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from arith_lightning import checkpoints, imports, results, runs
from arith_lightning.answerer import Answerer
from arith_lightning.complaint import require
from arith_lightning.config import experiment
from arith_lightning.population import Population
from arith_lightning.trained import Run, Trained


class Loaded:
    """A run in its folder: what it answered, and its networks.

    Args:
        folder: the run's folder.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def summary(self) -> dict[str, Any]:
        """The run's summary.json: rate, interval, errors, the best member.

        Raises:
            ValueError: the run is not finished.
        """
        done = (self.folder / runs.RESULT).is_file()
        way_out = "give its command again, which goes on with it"
        require(done, "a summary is written at the end of a run", f"{self.folder}, unfinished", way_out)
        return results.read(self.folder)

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows of runs.csv, one for each member, numbers as numbers and what is not known as None.

        Raises:
            ValueError: the run is not finished.
        """
        path = self.folder / "runs.csv"
        way_out = "give its command again, which goes on with it"
        require(path.is_file(), "runs.csv is written at the end of a run", f"{self.folder}, unfinished", way_out)
        with path.open(newline="", encoding="utf-8") as file:
            return [{name: value(cell) for name, cell in row.items()} for row in csv.DictReader(file)]

    @cached_property
    def population(self) -> Population:
        """The members at their judged step."""
        built = experiment(["--config", str(self.folder / runs.CONFIG)])
        return Trained(Run(self.folder.name), self.folder, built).population

    @cached_property
    def best(self) -> Answerer:
        """The member of the lowest interpolation error, as `member` returns it."""
        return self.member(results.best(self.population))

    def member(self, index: int) -> Answerer:
        """Return a member at its judged step, an ordinary module: `(n, inputs)` to `(n, outputs)` in the data's units.

        Args:
            index: its row in runs.csv, counted from 0.

        Raises:
            ValueError: there is no such member, or it had diverged when it was first evaluated.
        """
        members = len(self.population)
        require(0 <= index < members, f"a member must be one of 0 to {members - 1}", index, "see runs.csv")
        judged = bool(self.population.record.judged[index])
        require(judged, "a member must have been evaluated", f"{index}, which was not or had diverged", "take another")
        return Answerer(self.population.member(index), self.population.data)


def load(folder: str | os.PathLike[str]) -> Loaded:
    """Return the run in a folder such as `logs/my/version_0`, or of the experiment's folder the last one.

    Raises:
        ValueError: there is none.
    """
    path = Path(folder)
    if not (path / runs.CONFIG).is_file() and path.is_dir() and runs.versions(path):
        path = runs.versions(path)[-1]
    whole = (path / runs.CONFIG).is_file() and (path / checkpoints.LAST).is_file()
    require(whole, "a run must be a folder with its config.yaml and checkpoint", folder, "such as logs/my/version_0")
    imports.here()
    return Loaded(path)


def value(cell: str) -> Any:
    """Return what a cell of runs.csv stands for."""
    if cell in ("", "True", "False"):
        return {"": None, "True": True, "False": False}[cell]
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
