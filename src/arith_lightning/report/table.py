"""A re-measured table: rates with intervals beside what was published, as Markdown, CSV, LaTeX and a picture."""

import csv
import io
import math
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from arith_lightning.benchmark.table import BenchmarkTable, read
from arith_lightning.evaluation import Rate
from arith_lightning.runs import write

FOUND = "found settings"
"""Column of the same units with settings that searches found."""
ALL = "all"
"""Range of a published rate, or of a line, that counts the runs of every range."""
HEADER = (
    "unit",
    "operation",
    "interpolation",
    "extrapolation",
    "successes",
    "n",
    "low",
    "high",
    "solved_at_step",
    "sparsity_error",
    "diverged",
    "published",
    "published_n",
    "inside",
    "agrees",
    "source",
    "error",
    "published_error",
    "found_successes",
    "found_n",
)


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
        error: median over all runs of the error by which they are judged; a NaN counts as infinite.
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


def publish(table: BenchmarkTable, folder: Path, note: str) -> list[Path]:
    """Write the table as `<name>.md`, `.csv`, `.tex` and `.png` into `folder`; return the files."""
    found = lines(table)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{table.name}.{ending}" for ending in ("md", "csv", "tex", "png")]
    figure(found).savefig(paths[3], dpi=110)
    write(paths[1], as_csv(found))
    write(paths[2], as_latex(found))
    write(paths[0], as_markdown(table.name, found, note))
    return paths


def as_csv(found: Sequence[Line]) -> str:
    """Return the lines as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for x in found:
        low, high = x.rate.interval
        known: tuple[object, ...] = ("",) * 5
        if x.published:
            known = (x.published.rate, x.published.n, x.inside, x.agrees, x.published.source)
        errors = (f"{x.error:.4g}", x.published.error if x.published else "")
        counts = (x.rate.successes, x.rate.n, f"{low:.4f}", f"{high:.4f}")
        steps = ("" if value is None else f"{value:.6g}" for value in (x.solved_at_step, x.sparsity_error))
        asked = (x.unit, x.operation, x.interpolation, x.extrapolation)
        writer.writerow((*asked, *counts, *steps, x.diverged, *known, *errors, *(x.found or ("", ""))))
    return text.getvalue()


def matrix(found: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table at a glance: successes by unit and operation over ranges; found ones last."""
    ranges = list(dict.fromkeys(x.interpolation for x in found if x.interpolation != ALL))
    ranges += [ALL] * any(x.interpolation == ALL for x in found)
    cells = {(x.unit, x.operation, x.interpolation): short(x.rate) for x in found}
    pairs = dict.fromkeys((x.unit, x.operation) for x in found)
    header = ["unit", "operation", *ranges]
    rows = [[*pair, *(cells.get((*pair, r), "") for r in ranges)] for pair in pairs]
    if any(x.found for x in found):
        last = {(x.unit, x.operation): short(x.found) for x in found}
        header, rows = [*header, FOUND], [[*row, last[pair]] for row, pair in zip(rows, pairs, strict=True)]
    return header, rows


def short(rate: Rate | None) -> str:
    """Return a rate as a fraction."""
    return f"{rate.successes}/{rate.n}" if rate else ""


def detail(found: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of everything that is known of every line; errors where some are published."""
    errors = any(x.published and x.published.error is not None for x in found)
    beside = any(x.found for x in found)
    header = ["unit", "operation", "range", "rate", "solved at", "sparsity error", "published", "inside", "agrees"]
    rows = [
        [
            x.unit,
            x.operation,
            " to ".join(dict.fromkeys(filter(None, (x.interpolation, x.extrapolation)))),
            str(x.rate),
            "" if x.solved_at_step is None else f"{x.solved_at_step:,.0f}",
            "" if x.sparsity_error is None else f"{x.sparsity_error:.1e}",
            *([f"{x.error:.2g}"] if errors else []),
            printed(x.published) if x.published else "",
            *({None: "", True: "yes", False: "**no**"}[verdict] for verdict in (x.inside, x.agrees)),
            *([str(x.found or "")] if beside else []),
        ]
        for x in found
    ]
    return [*header[:6], *(["median error"] if errors else []), *header[6:], *([FOUND] if beside else [])], rows


def printed(known: Published) -> str:
    """Return what is published in one line."""
    rate = [] if known.rate is None else [f"{known.rate:g}"]
    error = [] if known.error is None else [f"median error {known.error:.2g}"]
    return f"{', '.join(rate + error)}, n = {known.n} ({known.source})"


def as_markdown(name: str, found: Sequence[Line], note: str) -> str:
    """Return the page: how it was made, the picture, the matrix, the details."""
    parts = [f"# {name}", note, f"![rates, steps and sparsity by unit]({name}.png)"]
    for header, rows in (matrix(found), detail(found)):
        body = [header, ["---"] * len(header), *rows]
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in body))
    return "\n\n".join(parts) + "\n"


def as_latex(found: Sequence[Line]) -> str:
    """Return the details as a `longtable` (packages longtable and booktabs)."""
    header, rows = detail(found)
    body = [" & ".join(escaped(cell) for cell in row) + r" \\" for row in [header, *rows]]
    return "\n".join(
        [
            rf"\begin{{longtable}}{{{'l' * len(header)}}}",
            r"\toprule",
            body[0],
            r"\midrule",
            r"\endhead",
            *body[1:],
            r"\bottomrule",
            r"\end{longtable}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Return text fit for LaTeX."""
    bold = re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", re.sub(r"([_%&#])", r"\\\1", text))
    return re.sub(r"(\[[^\]]*\])", r"{\1}", bold)


LIMITS = {"success rate": (0, 1), "solved-at step (median)": (1e3, 1e7), "sparsity error (median)": (1e-9, 1)}
"""Ends of the colors; nothing below is drawn."""
INK = {True: "white", False: "black"}
PANELS: tuple[tuple[str, Callable[[Line], float | None], Callable[[float], str], str], ...] = (
    ("success rate", lambda x: x.rate.value, lambda v: f"{v:.2f}", "linear"),
    ("solved-at step (median)", lambda x: x.solved_at_step, lambda v: f"{v / 1000:,.4g}k", "log"),
    (
        "sparsity error (median)",
        lambda x: None if x.sparsity_error is None else max(x.sparsity_error, 1e-9),
        "{:.0e}".format,
        "log",
    ),
)
"""Title, value of a line, how it is written into its cell, and the scale of the colors."""


def figure(found: Sequence[Line]) -> Figure:
    """Draw rate, solved-at step and sparsity error by unit and range, a column of panels for each operation."""
    operations = list(dict.fromkeys(x.operation for x in found))
    ranges = list(dict.fromkeys(x.interpolation for x in found if x.interpolation != ALL))
    units = {name: list(dict.fromkeys(x.unit for x in found if x.operation == name)) for name in operations}
    labels = 0.15 * max(map(len, ranges))  # height of the slanted names of ranges, three rows of them
    size = (2 + (1.6 + 0.5 * len(ranges)) * len(operations), 1.5 + labels + 0.8 * max(map(len, units.values())))
    drawn = Figure(figsize=size, layout="constrained")
    panels = drawn.subplots(len(PANELS), len(operations), squeeze=False)
    for row, (title, value, text, scale) in zip(panels, PANELS, strict=True):
        for axes, operation in zip(row, operations, strict=True):
            cells = np.full((len(units[operation]), len(ranges)), np.nan)
            for x in found:
                if x.operation == operation and x.interpolation != ALL:
                    known = value(x)
                    at = units[operation].index(x.unit), ranges.index(x.interpolation)
                    cells[at] = np.nan if known is None else max(known, LIMITS[title][0])
            low, high = LIMITS[title]
            image = axes.pcolormesh(cells, norm=scale, vmin=low, vmax=high, cmap="viridis", edgecolor="white")
            for (y, x_), v in np.ndenumerate(cells):
                if np.isfinite(v):
                    dark = bool(image.norm(v) < 0.6)
                    axes.text(x_ + 0.5, y + 0.5, text(v), ha="center", va="center", fontsize=6, color=INK[dark])
            axes.set_title(f"{operation}: {title}", fontsize=9)
            axes.set_facecolor("#eeeeee")
            axes.set_xticks(np.arange(len(ranges)) + 0.5, ranges, rotation=45, ha="right", fontsize=7)
            axes.set_yticks(np.arange(len(units[operation])) + 0.5, units[operation], fontsize=7)
            axes.invert_yaxis()
    return drawn
