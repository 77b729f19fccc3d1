"""What is known of every unit on every range: rates and medians of its runs, beside what was published."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from arith_lightning.benchmark.table import BenchmarkTable, read
from arith_lightning.evaluation import Rate

ALL = "all"
"""Range of a published rate, or of a line, that counts the runs of every range."""


@dataclass(frozen=True)
class Published:
    """What is published of some runs.

    Args:
        rate: share of successes; None where it is not printed.
        error: median of the error by which runs are judged; None where it is not printed.
        n: runs behind it.
        source: where it is printed.
    """

    rate: float | None
    error: float | None
    n: int
    source: str


@dataclass(frozen=True)
class Line:
    """All runs of one unit on one operation and one range, or on all ranges.

    Args:
        unit: the unit.
        operation: what it was asked.
        interpolation: training range, or `all`.
        extrapolation: test range, or `all`.
        rate: successes among the runs.
        solved_at_step: median over the successes; None without any.
        sparsity_error: median over the successes; None without any.
        error: median over all runs of the error by which they are judged; a NaN counts as infinite. NaN where a file
            does not hold it.
        diverged: runs that ended in something that is not a number.
        published: what is published, where something is.
        found: successes of the same unit with found settings, where they were measured.
    """

    unit: str
    operation: str
    interpolation: str
    extrapolation: str
    rate: Rate
    solved_at_step: float | None
    sparsity_error: float | None
    error: float
    diverged: int
    published: Published | None
    found: Rate | None

    @property
    def inside(self) -> bool | None:
        """Whether the published rate lies inside the measured interval; None without a published rate."""
        if self.published is None or self.published.rate is None:
            return None
        low, high = self.rate.interval
        return low - 5e-4 <= self.published.rate <= high + 5e-4  # published rates have three digits at most

    @property
    def agrees(self) -> bool | None:
        """Whether both rates, each of its own n, differ by chance at most (95 %); None without a published one."""
        if self.published is None or self.published.rate is None:
            return None
        return self.rate.agrees(Rate(round(self.published.rate * self.published.n), self.published.n))


def step(value: float | None) -> str:
    """Return a solved-at step as pages and pictures print it; nothing where there is none."""
    return "" if value is None else f"{value:,.0f}"


def sparsity(value: float | None) -> str:
    """Return a sparsity error likewise; an exact zero is 0."""
    return "" if value is None else f"{value:.1e}" if value else "0"


def lines(table: BenchmarkTable) -> list[Line]:
    """Return the table's lines: for each unit and operation one a range, and one of all ranges if there are several.

    Raises:
        ValueError: the table has not been measured.
    """
    path = table.folder / "runs.csv"
    if not path.exists():
        raise ValueError(f"the table must have been measured; no {path}; run python -m arith_lightning.benchmark first")
    known, beside = published(table), found_rates(table)
    groups: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    for row in read(path):
        key = (row["architecture"], row["operation"], row["interpolation"], row["extrapolation"])
        groups.setdefault(key, []).append(row)
        groups.setdefault((*key[:2], ALL, ALL), []).append(row)
    order = [(cell.unit, cell.operation) for cell in table.cells]
    found = [line(*key, rows, known.get(key[:3]), beside.get(key[:3])) for key, rows in groups.items()]
    several = {
        pair for pair in order if sum((x.unit, x.operation) == pair and x.interpolation != ALL for x in found) > 1
    }
    kept = [x for x in found if x.interpolation != ALL or (x.unit, x.operation) in several]
    return sorted(
        kept,
        key=lambda x: (table.operations.index(x.operation), order.index((x.unit, x.operation)), x.interpolation == ALL),
    )


def line(
    unit: str,
    operation: str,
    interpolation: str,
    extrapolation: str,
    rows: Sequence[dict[str, str]],
    known: Published | None,
    found: Rate | None,
) -> Line:
    """Return the line of some runs."""
    solved = [row for row in rows if row["success"] == "True"]
    steps = [float(row["solved_at_step"]) for row in solved if row["solved_at_step"]]
    sparsity = [value for row in solved if not math.isnan(value := float(row["sparsity_error"] or "nan"))]
    errors = [math.inf if math.isnan(value := float(row["error"])) else value for row in rows]
    return Line(
        unit,
        operation,
        interpolation,
        extrapolation,
        Rate(len(solved), len(rows)),
        statistics.median(steps) if steps else None,
        statistics.median(sparsity) if sparsity else None,
        statistics.median(errors),
        sum(row["diverged"] == "True" for row in rows),
        known,
        found,
    )


def found_rates(table: BenchmarkTable) -> dict[tuple[str, str, str], Rate]:
    """Return the rates of the table of found settings by unit, operation and range; none before it is measured."""
    if table.found is None or not (table.found.folder / "runs.csv").exists():
        return {}
    return {(x.unit, x.operation, x.interpolation): x.rate for x in lines(table.found)}


def published(table: BenchmarkTable) -> dict[tuple[str, str, str], Published]:
    """Return what is published by unit, operation and interpolation range."""
    if table.published is None:
        return {}

    def number(row: dict[str, str], name: str) -> float | None:
        return float(row[name]) if row.get(name) else None

    return {
        (row["unit"], row["operation"], row["interpolation"]): Published(
            number(row, "rate"), number(row, "error"), int(row["n"]), row["source"]
        )
        for row in read(table.published)
    }
