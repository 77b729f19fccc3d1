"""A re-measured table: rates with intervals beside what was published, as Markdown, CSV, LaTeX and a picture."""

import csv
import io
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from arith_lightning.benchmark.table import BenchmarkTable, read
from arith_lightning.evaluation import Rate
from arith_lightning.runs import write

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
    "source",
)


@dataclass(frozen=True)
class Published:
    """A published rate.

    Args:
        rate: share of successes.
        n: runs behind it.
        source: where it is printed.
    """

    rate: float
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
        diverged: runs that ended in something that is not a number.
        published: the published rate, where there is one.
    """

    unit: str
    operation: str
    interpolation: str
    extrapolation: str
    rate: Rate
    solved_at_step: float | None
    sparsity_error: float | None
    diverged: int
    published: Published | None

    @property
    def inside(self) -> bool | None:
        """Whether the published rate lies inside the measured interval."""
        if self.published is None:
            return None
        low, high = self.rate.interval
        return low - 5e-4 <= self.published.rate <= high + 5e-4  # published rates have three digits at most


def lines(table: BenchmarkTable) -> list[Line]:
    """Return the table's lines: for each unit and operation one a range, and one of all ranges if there are several.

    Raises:
        ValueError: the table has not been measured.
    """
    path = table.folder / "runs.csv"
    if not path.exists():
        raise ValueError(f"the table must have been measured; no {path}; run python -m arith_lightning.benchmark first")
    known = published(table)
    groups: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    for row in read(path):
        key = (row["architecture"], row["operation"], row["interpolation"], row["extrapolation"])
        groups.setdefault(key, []).append(row)
        groups.setdefault((*key[:2], ALL, ALL), []).append(row)
    order = [(cell.unit, cell.operation) for cell in table.cells]
    found = [line(*key, rows, known.get(key[:3])) for key, rows in groups.items()]
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
) -> Line:
    """Return the line of some runs."""
    solved = [row for row in rows if row["success"] == "True"]
    steps = [float(row["solved_at_step"]) for row in solved if row["solved_at_step"]]
    sparsity = [float(row["sparsity_error"]) for row in solved if row["sparsity_error"]]
    return Line(
        unit,
        operation,
        interpolation,
        extrapolation,
        Rate(len(solved), len(rows)),
        statistics.median(steps) if steps else None,
        statistics.median(sparsity) if sparsity else None,
        sum(row["diverged"] == "True" for row in rows),
        known,
    )


def published(table: BenchmarkTable) -> dict[tuple[str, str, str], Published]:
    """Return published rates by unit, operation and interpolation range."""
    if table.published is None:
        return {}
    return {
        (row["unit"], row["operation"], row["interpolation"]): Published(
            float(row["rate"]), int(row["n"]), row["source"]
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
        known = (x.published.rate, x.published.n, x.inside, x.published.source) if x.published else ("", "", "", "")
        counts = (x.rate.successes, x.rate.n, f"{low:.4f}", f"{high:.4f}")
        steps = ("" if value is None else f"{value:.6g}" for value in (x.solved_at_step, x.sparsity_error))
        writer.writerow((x.unit, x.operation, x.interpolation, x.extrapolation, *counts, *steps, x.diverged, *known))
    return text.getvalue()


def matrix(found: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table at a glance: successes by unit and operation over ranges."""
    ranges = list(dict.fromkeys(x.interpolation for x in found if x.interpolation != ALL))
    ranges += [ALL] * any(x.interpolation == ALL for x in found)
    cells = {(x.unit, x.operation, x.interpolation): f"{x.rate.successes}/{x.rate.n}" for x in found}
    pairs = dict.fromkeys((x.unit, x.operation) for x in found)
    return ["unit", "operation", *ranges], [[*pair, *(cells.get((*pair, r), "") for r in ranges)] for pair in pairs]


def detail(found: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of everything that is known of every line."""
    header = ["unit", "operation", "range", "rate", "solved at", "sparsity error", "published", "inside"]
    rows = [
        [
            x.unit,
            x.operation,
            ALL if x.interpolation == ALL else f"{x.interpolation} to {x.extrapolation}",
            str(x.rate),
            "" if x.solved_at_step is None else f"{x.solved_at_step:,.0f}",
            "" if x.sparsity_error is None else f"{x.sparsity_error:.1e}",
            f"{x.published.rate:g} of {x.published.n} ({x.published.source})" if x.published else "",
            {None: "", True: "yes", False: "**no**"}[x.inside],
        ]
        for x in found
    ]
    return header, rows


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


def figure(found: Sequence[Line]) -> Figure:
    """Draw rate, solved-at step and sparsity error over ranges by unit, a column for each operation."""
    operations = list(dict.fromkeys(x.operation for x in found))
    ranges = list(dict.fromkeys(x.interpolation for x in found if x.interpolation != ALL))
    units = list(dict.fromkeys(x.unit for x in found))
    colors = {unit: mpl.colormaps["tab20"](k % 20) for k, unit in enumerate(units)}
    drawn = Figure(figsize=(1.5 + 4.5 * len(operations), 9), layout="constrained")
    panels = drawn.subplots(3, len(operations), sharex=True, squeeze=False)
    for column, operation in enumerate(operations):
        here = [x for x in found if x.operation == operation and x.interpolation != ALL]
        present = list(dict.fromkeys(x.unit for x in here))
        for k, unit in enumerate(present):
            mine = [x for x in here if x.unit == unit]
            at = [ranges.index(x.interpolation) + (k - (len(present) - 1) / 2) * 0.8 / len(present) for x in mine]
            rate = [x.rate.value for x in mine]
            ends = [x.rate.interval for x in mine]
            bars = [
                [max(0.0, r - e[0]) for r, e in zip(rate, ends, strict=True)],
                [max(0.0, e[1] - r) for r, e in zip(rate, ends, strict=True)],
            ]
            style = {"color": colors[unit], "marker": "o", "markersize": 4, "linestyle": "none"}
            panels[0][column].errorbar(at, rate, yerr=bars, label=unit, elinewidth=1, **style)
            for row, name in ((1, "solved_at_step"), (2, "sparsity_error")):
                values = [getattr(x, name) for x in mine]
                pairs = [(a, max(v, 1e-9)) for a, v in zip(at, values, strict=True) if v is not None]
                if pairs:
                    panels[row][column].plot(*zip(*pairs, strict=True), **style)
                    panels[row][column].set_yscale("log")
        panels[0][column].set(title=operation, ylim=(-0.04, 1.04))
        panels[0][column].legend(fontsize=7, frameon=False, loc="lower left")
        panels[2][column].set_xticks(range(len(ranges)), ranges, rotation=45, ha="right", fontsize=7)
    for row, name in enumerate(("success rate", "solved-at step (median)", "sparsity error (median, at least 1e-9)")):
        panels[row][0].set_ylabel(name)
    return drawn
