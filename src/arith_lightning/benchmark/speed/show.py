"""Tables of what was measured: blocks of 80 columns for a terminal, the full figures as Markdown."""

import textwrap
from collections.abc import Callable, Iterator

from arith_lightning.benchmark.speed.figures import Figure, Results

WIDTH, LABEL, COLUMN = 80, 27, 12
"""Columns of a terminal, of a line's label, and of each of at most four numbers of members."""
LINES = [
    *(("PyTorch loop", "updates/s"), ("Lightning", "updates/s"), ("population", "updates/s")),
    *(("population", "compile s"), ("population", "GFLOP/s"), ("population", "share of sgemm")),
    *(("JAX natural", "updates/s"), ("JAX natural", "compile s"), ("JAX natural", "share of sgemm")),
    *(("JAX tuned", "updates/s"), ("JAX tuned", "compile s")),
]
"""Who and what the lines of a block are about."""
OTHERS = ("PyTorch loop", "JAX natural", "JAX tuned")
"""Whom a population is compared with."""


def short(figure: Figure, value: float) -> str:
    """Return a value with three digits."""
    if figure.measure == "share of sgemm":
        return f"{value:.0%}"
    if figure.measure == "compile s":
        return f"{value:.1f}"
    return f"{value / 1e6:.2f} M" if value >= 1e6 else digits(value)


def digits(value: float) -> str:
    """Return a number with at least two digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.3g}"


def median(figure: Figure) -> str:
    """Return the median alone, with what is said about it."""
    return f"{short(figure, figure.median)} {figure.note}".rstrip()


def ranged(figure: Figure) -> str:
    """Return the median with the range."""
    if figure.low == figure.high:
        return median(figure)
    return f"{median(figure)} ({short(figure, figure.low)} .. {short(figure, figure.high)})"


def sizes(results: Results, row: str) -> list[int]:
    """Return the numbers of members that were timed."""
    return sorted({figure.members for figure in results.figures if figure.row == row and figure.members})


def lines(results: Results, row: str, cell: Callable[[Figure], str]) -> Iterator[list[str]]:
    """Yield the lines of a block: a label, then a cell for each number of members, empty where there is none."""
    members = sizes(results, row)
    yield ["members", *(f"{size:,}" for size in members)]
    for name, measure in LINES:
        found = [results.get(row, name, size, measure) for size in members]
        if any(found):
            yield [f"{name}, {measure}", *(cell(figure) if figure else "" for figure in found)]
    for other in OTHERS:
        times = [ratio(results, row, other, size) for size in members]
        if any(times):
            yield [f"population / {other}", *times]


def ratio(results: Results, row: str, other: str, size: int) -> str:
    """Return how many times as fast as another a population is; a single model stands beside every size."""
    ours = results.get(row, "population", size, "updates/s")
    theirs = results.get(row, other, 1 if other == "PyTorch loop" else size, "updates/s")
    return digits(ours.median / theirs.median) if ours and theirs and theirs.median else ""


def footnotes(results: Results, row: str) -> str:
    """Return what a block's figures rest on."""
    found = [figure for figure in results.figures if figure.row == row]
    flop = next((f"{figure.median:.3g} MFLOP an update" for figure in found if figure.measure.startswith("MFLOP")), "")
    limits = [
        f"{f.contestant} {f.median:.3g} GFLOP/s" for f in found if f.measure == "GFLOP/s" and "sgemm" in f.contestant
    ]
    spread = max((max(f.high / f.median, f.median / f.low) - 1 for f in found if f.low and f.median), default=0.0)
    return "; ".join(part for part in (flop, *limits, f"repeats within {spread:.0%}") if part)


def about(results: Results) -> str:
    """Return what is known about the machine as lines of at most 80 columns."""
    said = [f"{name}: {value}" for name, value in results.about.items()]
    return "\n".join("\n  ".join(textwrap.wrap(line, WIDTH - 2, break_long_words=False)) for line in said) + "\n"


def block(results: Results, row: str) -> str:
    """Return the medians of a row as lines of less than 80 columns."""
    shown = [
        f"{head.replace('share of', 'of'):<{LABEL}}" + "".join(f"{cell:>{COLUMN}}" for cell in rest)
        for head, *rest in lines(results, row, median)
    ]
    return "\n".join([row, *shown, *textwrap.wrap(f"({footnotes(results, row)})", WIDTH), ""])


def best(results: Results, row: str, name: str) -> Figure | None:
    """Return the highest rate that somebody reaches with several members."""
    found = [f for f in results.figures if (f.row, f.contestant, f.measure) == (row, name, "updates/s")]
    return max((f for f in found if f.members > 1 or name in ("PyTorch loop", "Lightning")), key=rate, default=None)


def at(figure: Figure) -> str:
    """Return the median, and of a population its size."""
    return median(figure) + (f" (P = {figure.members:,})" if figure.members > 1 else "")


def rate(figure: Figure) -> float:
    """Return what figures are compared by."""
    return figure.median


def summary(results: Results) -> list[list[str]]:
    """Return a table of the best rates: one line a model."""
    names = ("PyTorch loop", "Lightning", "population", "JAX natural", "JAX tuned")
    table = [["model", *names, "population / loop", "population / JAX", "of sgemm"]]
    for row in results.rows():
        found = {name: best(results, row, name) for name in names}
        loop, ours = found["PyTorch loop"], found["population"]
        times = digits(ours.median / loop.median) if loop and ours else ""
        peers = [f.median for name, f in found.items() if f and name.startswith("JAX")]
        beside = digits(ours.median / max(peers)) if ours and peers else ""
        share = results.get(row, "population", ours.members, "share of sgemm") if ours else None
        cells = [at(figure) if figure else "" for figure in found.values()]
        table.append([row, *cells, times, beside, median(share) if share else ""])
    return table


def markdown(results: Results) -> str:
    """Return everything as Markdown: the machine, a summary, and the full figures of each row."""
    parts = ["\n".join(f"* {name}: {value}" for name, value in results.about.items()), piped(summary(results))]
    for row in results.rows():
        parts += [f"## {row}", piped(list(lines(results, row, ranged))), footnotes(results, row).capitalize() + "."]
    return "\n\n".join(["# Measured by `python -m arith_lightning.benchmark speed`", *parts]) + "\n"


def piped(table: list[list[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = [f"| {' | '.join(cells)} |" for cells in table]
    return "\n".join([head, "|---" * len(table[0]) + "|", *body])
