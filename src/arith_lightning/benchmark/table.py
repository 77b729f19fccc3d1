"""A table as a file of `configs/tables`: an experiment, units with their operations, and a cell for each pair.

A cell is one configuration of `fit`; all its settings (ranges, as a rule) and seeds train as one population. What one
population cannot hold side by side are variants, a cell each.
"""

import copy
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from arith_lightning import reading, runs, shipped
from arith_lightning.complaint import require
from arith_lightning.config import experiment
from arith_lightning.runs import LOGS
from arith_lightning.trained import Run, Trained

UNIT = "UNIT"
"""Stands for the unit's name in a table's `model`."""
KEYS = {"experiment", "units", "operations", "model", "published", "variants", "found"}
COLUMNS = (
    "architecture",
    "operation",
    "in_features",
    "interpolation",
    "extrapolation",
    "seed",
    "epsilon",
    "success",
    "solved_at_step",
    "sparsity_error",
    "extrapolation_mse",
    "interpolation_mse",
    "error",
    "diverged",
)
"""Columns of runs.csv, one row a run."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One unit on one operation.

    Args:
        unit: name of the unit, a row of the table.
        operation: what it is asked.
        variant: name of the experiment's variant; empty where there is one only.
        run: the command that answers.
        config: the configuration file of that command.
    """

    unit: str
    operation: str
    variant: str
    run: Run
    config: dict[str, Any]


class BenchmarkTable:
    """A published table: what is trained for it, and where its runs are kept.

    Args:
        path: a file of `configs/tables`. `experiment` is what all cells share, as in a file of `configs`, or a list
            of such files and of what is changed in them; `units` maps each unit to its operations and, for each, to
            what that cell changes in `model.init_args` (and, below `data`, in `data.init_args`), or to a `model` of its
            own (a list of such mappings and of files that hold one is merged); `operations` names those asked, all by
            default; `model` is the network around a unit, `UNIT` stands for its name; `published` is a file of
            published rates or median errors; `found` is a table of the same runs with settings that searches found, its
            rates stand beside these; `variants` maps names to what each changes in the experiment (or is a file that
            does), and every unit and operation then has a cell of each.
        quick: whether the runs are short ones that answer nothing, and are kept apart.

    Raises:
        ValueError: the file is not such a table.
    """

    def __init__(self, path: Path, quick: bool = False, above: tuple[Path, ...] = ()) -> None:
        path = shipped.config(path, "a table")
        content = load(path)
        require(path.resolve() not in above, "a table must not stand beside itself", f"found: {path.name}", "drop it")
        require(
            KEYS >= content.keys() >= {"experiment", "units"},
            f"a table has the keys {', '.join(sorted(KEYS))}, of which experiment and units are required",
            ", ".join(map(str, content)),
            f"compare {path} with configs/tables/single_module.yaml",
        )
        stem = reading.stem(path)
        self.name = f"{stem}_quick" if quick else stem
        self.folder = LOGS / "benchmark" / self.name
        published, found = (beside(path, key, content.get(key)) for key in ("published", "found"))
        self.published = published
        self.found = None if found is None else BenchmarkTable(found, quick, (*above, path.resolve()))
        base = stacked(path, content["experiment"])
        variants = content.get("variants", {"": {}})
        variants = load(path.parent / variants) if isinstance(variants, str) else mapping("variants", variants)
        self.experiments = {name: stacked(path, [base, changes]) for name, changes in variants.items()}
        for name, config in self.experiments.items():
            if name:
                reading.word("a variant", name)
            mapping("an experiment's data", config.get("data"))
        self.model = mapping("a table's model", content.get("model", {"class_path": UNIT}))
        units = merged(path, content["units"])
        asked = {name for operations in units.values() for name in operations}
        self.operations: list[str] = content.get("operations", sorted(asked))
        require(isinstance(self.operations, list), "operations must be a list", repr(self.operations), "try [mul]")
        unknown = [name for name in self.operations if name not in asked]
        require(not unknown, "some unit must be asked each operation", unknown, f"known: {sorted(asked)}")
        self.cells = [
            self.cell(unit, name, variant, changes)
            for unit, operations in units.items()
            for name, changes in operations.items()
            for variant in self.experiments
            if name in self.operations
        ]
        require(bool(self.cells), "a table must have a cell", units, "add a unit with an operation")
        names = [cell.run.config for cell in self.cells]
        twice = sorted({name for name in names if names.count(name) > 1})
        require(not twice, "cells must have names of their own, with _ for spaces", ", ".join(twice), "rename a unit")

    def cell(self, unit: str, operation: str, variant: str, changes: dict[str, Any] | None) -> Cell:
        """Return one cell."""
        config = copy.deepcopy(self.experiments[variant])
        where = f"{unit}: {operation}"
        changes = copy.deepcopy(mapping(where, changes or {}))
        model = config["model"] = mapping(f"{where}: model", changes.pop("model", None) or named(self.model, unit))
        data, own = config["data"], mapping(f"{where}: data", changes.pop("data", {}))
        data["init_args"] = mapping("data.init_args", data.get("init_args", {})) | {"operation": operation} | own
        model["init_args"] = mapping("model.init_args", model.get("init_args", {})) | changes
        name = reading.word("a cell", "_".join(filter(None, (self.name, unit, operation, variant))))
        run = Run(name.replace(" ", "_"), folder=str(self.folder / "cells"))
        return Cell(unit, operation, variant, run, config)

    def chosen(self, units: Sequence[str], operations: Sequence[str]) -> list[Cell]:
        """Return the cells of some units and operations; of all where none is named."""
        known = {"unit": {cell.unit for cell in self.cells}, "operation": {cell.operation for cell in self.cells}}
        for kind, names in (("unit", units), ("operation", operations)):
            strange = [name for name in names if name not in known[kind]]
            require(not strange, f"the table has no such {kind}", ", ".join(strange), f"known: {sorted(known[kind])}")
        return [
            cell
            for cell in self.cells
            if (not units or cell.unit in units) and (not operations or cell.operation in operations)
        ]

    def prepare(self, cells: Iterable[Cell]) -> None:
        """Write the configuration of every cell, which `fit` reads.

        Raises:
            ValueError: `fit` would refuse one; none is written then.
        """
        texts = {cell: yaml.safe_dump(cell.config, sort_keys=False) for cell in cells}
        with TemporaryDirectory() as folder:
            path = Path(folder) / "cell.yaml"
            for cell, text in texts.items():
                path.write_text(text)
                try:
                    experiment(["--config", str(path)])
                except ValueError as error:
                    raise ValueError(f"{cell.run.config}: {error}") from error
        for cell, text in texts.items():
            path = Path(cell.run.folder) / f"{cell.run.config}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            runs.write(path, text)

    def write(self, trained: dict[Cell, Trained]) -> Path:
        """Write runs.csv with the runs of these cells and those of all cells it already has; return its path."""
        path = self.folder / "runs.csv"
        fresh = {(cell.unit, cell.operation) for cell in trained}
        order = [(cell.unit, cell.operation) for cell in self.cells]
        kept = read(path) if path.exists() else []
        rows = [row for row in kept if (row["architecture"], row["operation"]) in {*order} - fresh]
        for cell, result in trained.items():
            rows += [row | {"architecture": cell.unit} for row in read(result.folder / "runs.csv")]
        rows.sort(key=lambda row: order.index((row["architecture"], row["operation"])))
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        runs.write(path, text.getvalue())
        return path


def load(path: Path) -> dict[str, Any]:
    """Read a YAML mapping."""
    return reading.load(path, "a table")


def mapping(what: str, value: Any) -> dict[str, Any]:
    """Return a value that must be a mapping."""
    require(isinstance(value, dict), f"{what} must be a mapping", reading.kind(value), "compare configs/tables")
    return value


def beside(path: Path, key: str, name: Any) -> Path | None:
    """Return the file that a table names by `key`, relative to itself; None where it names none."""
    if name is None:
        return None
    there = isinstance(name, str) and (path.parent / name).is_file()
    require(there, f"{key} must be a file beside {path.name}", reading.kind(name), "correct it")
    return path.parent / name


def stacked(path: Path, parts: Any) -> dict[str, Any]:
    """Return one configuration of a mapping, or of a list of files and mappings, later ones laid over earlier ones."""

    def over(below: Any, above: Any) -> Any:
        if not (isinstance(below, dict) and isinstance(above, dict)):
            return above
        return below | {key: over(below.get(key), value) for key, value in above.items()}

    found: dict[str, Any] = {}
    for part in parts if isinstance(parts, list) else [parts]:
        changes = load(path.parent / part) if isinstance(part, str) else part
        found = over(found, mapping("an experiment, or a part of its list,", changes))
    return found


def merged(path: Path, units: Any) -> dict[str, dict[str, Any]]:
    """Return units by name: of one mapping, of a file, or of a list of both, later entries added to earlier ones."""
    found: dict[str, dict[str, Any]] = {}
    for part in units if isinstance(units, list) else [units]:
        own = load(path.parent / part) if isinstance(part, str) else mapping("units, or a part of their list,", part)
        for unit, operations in own.items():
            reading.word("a unit", unit)
            for operation in mapping(f"{unit}, a unit with its operations,", operations):
                reading.word("an operation", operation)
            found[unit] = found.get(unit, {}) | operations
    return found


def named(model: Any, unit: str) -> Any:
    """Return a copy of `model` with every `UNIT` replaced by the unit's name."""
    if isinstance(model, dict):
        return {key: named(value, unit) for key, value in model.items()}
    if isinstance(model, list):
        return [named(value, unit) for value in model]
    return unit if model == UNIT else model


def read(path: Path) -> list[dict[str, str]]:
    """Read a file of rows."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
