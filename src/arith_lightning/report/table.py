"""A re-measured table: rates with intervals beside what was published, as Markdown, CSV, LaTeX and a picture."""

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from arith_lightning import runs
from arith_lightning.benchmark.table import BenchmarkTable, read
from arith_lightning.evaluation import Rate
from arith_lightning.report.heatmap import figure
from arith_lightning.report.lines import ALL, Line, Published, lines, sparsity, step
from arith_lightning.report.page import plain
from arith_lightning.runs import write

FOUND = "found settings"
"""Column of the same units with settings that searches found."""
LATEX = {character: rf"\{character}" for character in "_%&#${}"} | {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
"""What LaTeX would read otherwise."""
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


class Strong(str):
    """Text of a cell that every format prints in bold."""


def publish(table: BenchmarkTable, folder: Path, note: str) -> list[Path]:
    """Write the table as `<name>.md`, `.csv`, `.tex` and `.png` into `folder`; return the files."""
    return save(table.name, lines(table), folder, note)


def redraw(path: Path) -> list[Path]:
    """Write the four files of a table again from its CSV file, with the note of the page beside it; return the files.

    Raises:
        ValueError: the file is not a table that `publish` has written.
    """
    page = path.with_suffix(".md")
    if path.suffix != ".csv" or not page.exists():
        raise ValueError(f"a table is redrawn from its CSV file beside its page; got {path}; try docs/tables/npu.csv")
    note = page.read_text().split("\n\n")[1]
    return save(path.stem, from_csv(path), path.parent, note)


def save(name: str, found: Sequence[Line], folder: Path, note: str) -> list[Path]:
    """Write the lines as page, CSV, LaTeX and picture; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{ending}" for ending in ("md", "csv", "tex", "png")]
    runs.picture(paths[3], figure(found), 110)
    write(paths[1], as_csv(found))
    write(paths[2], as_latex(found))
    write(paths[0], as_markdown(name, found, note))
    return paths


def as_csv(found: Sequence[Line]) -> str:
    """Return the lines as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for x in found:
        known: tuple[object, ...] = ("",) * 5
        if x.published:
            known = (x.published.rate, x.published.n, x.inside, x.agrees, x.published.source)
        errors = ("" if math.isnan(x.error) else f"{x.error:.4g}", x.published.error if x.published else "")
        counts = (x.rate.successes, x.rate.n, *x.rate.ends(4))
        steps = ("" if value is None else f"{value:.6g}" for value in (x.solved_at_step, x.sparsity_error))
        asked = (x.unit, x.operation, x.interpolation, x.extrapolation)
        writer.writerow((*asked, *counts, *steps, x.diverged, *known, *errors, *(x.found or ("", ""))))
    return text.getvalue()


def from_csv(path: Path) -> list[Line]:
    """Return the lines of a CSV file; rates are whole, other numbers have the digits that the file has.

    An older file may lack errors and found settings.

    Raises:
        ValueError: the file lacks other columns.
    """
    rows = read(path)
    needed = [name for name in HEADER[: HEADER.index("error")] if name != "inside"]
    if not rows or not set(needed) <= rows[0].keys():
        raise ValueError(f"a table's CSV file has a row a line and {', '.join(needed)}; got {path}; try docs/tables")

    def number(row: dict[str, str], name: str) -> float | None:
        return float(row[name]) if row.get(name) else None

    def known(row: dict[str, str]) -> Published | None:
        n, source = row["published_n"], row["source"]
        return Published(number(row, "published"), number(row, "published_error"), int(n), source) if n else None

    return [
        Line(
            unit=row["unit"],
            operation=row["operation"],
            interpolation=row["interpolation"],
            extrapolation=row["extrapolation"],
            rate=Rate(int(row["successes"]), int(row["n"])),
            solved_at_step=number(row, "solved_at_step"),
            sparsity_error=number(row, "sparsity_error"),
            error=float(row.get("error") or "nan"),
            diverged=int(row["diverged"]),
            published=known(row),
            found=Rate(int(row["found_successes"]), int(row["found_n"])) if row.get("found_n") else None,
        )
        for row in rows
    ]


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
            step(x.solved_at_step),
            sparsity(x.sparsity_error),
            *([f"{x.error:.2g}"] if errors else []),
            printed(x.published) if x.published else "",
            *({None: "", True: "yes", False: Strong("no")}[verdict] for verdict in (x.inside, x.agrees)),
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
    parts = [f"# {plain(name)}", note, f"![rates, steps and sparsity by unit]({quote(name)}.png)"]
    for header, rows in (matrix(found), detail(found)):
        body = [header, ["---"] * len(header), *rows]
        parts.append("\n".join("| " + " | ".join(map(in_markdown, row)) + " |" for row in body))
    return "\n\n".join(parts) + "\n"


def in_markdown(cell: str) -> str:
    """Return a cell's text fit for a Markdown table."""
    return f"**{plain(cell)}**" if isinstance(cell, Strong) else plain(cell)


def as_latex(found: Sequence[Line]) -> str:
    """Return the details as a `longtable` (packages longtable and booktabs)."""
    header, rows = detail(found)
    body = [" & ".join(in_latex(cell) for cell in row) + r" \\" for row in [header, *rows]]
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


def in_latex(cell: str) -> str:
    """Return a cell's text fit for LaTeX; a bracket behind the end of a row would be taken for its argument."""
    text = re.sub("|".join(map(re.escape, LATEX)), lambda match: LATEX[match[0]], " ".join(cell.split()))
    text = re.sub(r"(\[[^\]]*\])", r"{\1}", text)
    return rf"\textbf{{{text}}}" if isinstance(cell, Strong) else text
