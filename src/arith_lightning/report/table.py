"""A re-measured table: rates with intervals beside what was published, as Markdown, CSV, LaTeX and a picture."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from arith_lightning.benchmark.table import BenchmarkTable
from arith_lightning.evaluation import Rate
from arith_lightning.report.heatmap import figure
from arith_lightning.report.lines import ALL, Line, Published, lines
from arith_lightning.runs import write

FOUND = "found settings"
"""Column of the same units with settings that searches found."""
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
