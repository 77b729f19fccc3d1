"""A table as a file of `configs/benchmark`: an experiment, units with their operations, and a cell for each pair.

A cell is one configuration of `fit`; all its settings (ranges, as a rule) and seeds train as one population. What one
population cannot hold side by side are variants, a cell each.
"""

import copy
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from arith_lightning import runs
from arith_lightning.complaint import require
from arith_lightning.trained import LOGS, Run, Trained

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
        path: a file of `configs/benchmark`. `experiment` is what all cells share, as in a file of `configs`, or a list
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

    def __init__(self, path: Path, quick: bool = False) -> None:
        content = load(path)
        require(
            KEYS >= content.keys() >= {"experiment", "units"},
            f"a table has the keys {', '.join(sorted(KEYS))}, of which experiment and units are required",
            ", ".join(map(str, content)),
            f"compare {path} with configs/benchmark/single_module.yaml",
        )
        self.name = f"{path.stem}_quick" if quick else path.stem
        self.folder = LOGS / "benchmark" / self.name
        self.published = path.parent / content["published"] if "published" in content else None
        self.found = BenchmarkTable(path.parent / content["found"], quick) if "found" in content else None
        base = stacked(path, content["experiment"])
        variants = content.get("variants", {"": {}})
        variants = load(path.parent / variants) if isinstance(variants, str) else variants
        self.experiments = {name: stacked(path, [base, changes]) for name, changes in variants.items()}
        self.model: dict[str, Any] = content.get("model", {"class_path": UNIT})
        units = merged(path, content["units"])
        asked = {name for operations in units.values() for name in operations}
        self.operations: list[str] = content.get("operations", sorted(asked))
        unknown = set(self.operations) - asked
        require(not unknown, "some unit must be asked each operation", sorted(unknown), f"known: {sorted(asked)}")
        self.cells = [
            self.cell(unit, name, variant, changes)
            for unit, operations in units.items()
            for name, changes in operations.items()
            for variant in self.experiments
            if name in self.operations
        ]

    def cell(self, unit: str, operation: str, variant: str, changes: dict[str, Any] | None) -> Cell:
        """Return one cell."""
        config = copy.deepcopy(self.experiments[variant])
        changes = copy.deepcopy(changes or {})
        model = config["model"] = changes.pop("model", None) or named(self.model, unit)
        data = config["data"]
        data["init_args"] = data.get("init_args", {}) | {"operation": operation} | changes.pop("data", {})
        model["init_args"] = model.get("init_args", {}) | changes
        name = "_".join(filter(None, (self.name, unit, operation, variant)))
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
        """Write the configuration of every cell, which `fit` reads."""
        for cell in cells:
            path = Path(cell.run.folder) / f"{cell.run.config}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            runs.write(path, yaml.safe_dump(cell.config, sort_keys=False))

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
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ValueError(f"a table is a file of configs/benchmark; got {path} ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path} must be YAML; got {' '.join(str(error).split())}") from error
    require(isinstance(content, dict), f"{path} must be a mapping", type(content).__name__, "see configs/benchmark")
    return content


def stacked(path: Path, parts: Any) -> dict[str, Any]:
    """Return one configuration of a mapping, or of a list of files and mappings, later ones laid over earlier ones."""

    def over(below: Any, above: Any) -> Any:
        if not (isinstance(below, dict) and isinstance(above, dict)):
            return above
        return below | {key: over(below.get(key), value) for key, value in above.items()}

    found: dict[str, Any] = {}
    for part in parts if isinstance(parts, list) else [parts]:
        found = over(found, load(path.parent / part) if isinstance(part, str) else part)
    return found


def merged(path: Path, units: Any) -> dict[str, dict[str, Any]]:
    """Return units by name: of one mapping, of a file, or of a list of both, later entries added to earlier ones."""
    found: dict[str, dict[str, Any]] = {}
    for part in units if isinstance(units, list) else [units]:
        for unit, operations in (load(path.parent / part) if isinstance(part, str) else part).items():
            require(
                isinstance(operations, dict),
                f"{path}: a unit maps operations to changes",
                f"{unit}: {operations}",
                "try NMU: {mul: {}}",
            )
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
