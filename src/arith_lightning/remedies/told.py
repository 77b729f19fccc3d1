"""What came out of trying remedies: a sentence, tables for the terminal, for Markdown and as CSV, a picture."""

import csv
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from arith_lightning import results, runs
from arith_lightning.colors import BLUE, GRAY, ORANGE
from arith_lightning.figures import positive
from arith_lightning.remedies.course import AS_IT_IS, FRESH, REMEDIED, Course
from arith_lightning.remedies.verdict import SOLVED, Verdict, verdict

COLORS = {Verdict.HELPED: BLUE, Verdict.NOTHING: GRAY, Verdict.WORSE: ORANGE}


def verdicts(course: Course) -> dict[str, Verdict | None]:
    """Return everything that was tried on the same seeds, the best first, with what it did; None as it is."""
    before = course.tried[AS_IT_IS]
    return {name: None if name == AS_IT_IS else verdict(before, course.tried[name]) for name in course.ranked}


def sentence(course: Course) -> str:
    """Return the answer."""
    before = course.tried[AS_IT_IS]
    if course.solved:
        return f"{course.name}: every seed solves it as it is, {before.rate}; there is nothing to remedy."
    if len(course.tried) == 1:
        return f"{course.name}: no --minutes were left to try anything; as it is {before.rate} solve it."
    if course.winner == AS_IT_IS:
        return f"{course.name}: nothing that was tried makes it better; as it is {before.rate} of the seeds solve it."
    fresh = course.tried[FRESH].rate
    if fresh.value >= SOLVED:
        return f"{course.name}: solved by {course.winner}, {fresh} of fresh seeds; as it is {before.rate}."
    nearest = f"{course.winner} comes nearest, {fresh} of fresh seeds"
    return f"{course.name}: nothing that was tried solves it for nine seeds in ten; {nearest}; as it is {before.rate}."


def notes(course: Course) -> list[str]:
    """Return what a budget left undone."""
    found = []
    for name, built in course.fits.items():
        if name in course.tried and course.tried[name].step < built.max_steps:
            found.append(f"{name} was stopped at step {course.tried[name].step:,} of {built.max_steps:,}")
    if course.left:
        found.append(f"no time was left to try {', '.join(course.left)}")
    return [*found, "more --minutes go on from here"] if found else []


def show(course: Course, console: Console) -> None:
    """Print why it fails as it is, the table and the answer."""
    for found in course.tried[AS_IT_IS].found:
        console.print(f"{found['finding']}: {found['sentence']}", style="yellow", highlight=False, markup=False)
    if not course.solved:
        heads = ("remedy", "advised", "seeds that solve it", "median error", "what it did")
        table = Table(*heads, title=course.name, box=None)
        for name, did in verdicts(course).items():
            tried, named = course.tried[name], "yes" if name in course.advice else ""
            style = {Verdict.HELPED: "bold", Verdict.WORSE: "dim"}.get(did) if did else "italic"
            table.add_row(name, named, str(tried.rate), results.shown(tried.median), did or "", style=style)
        console.print(table, markup=False)
    for line in notes(course):
        console.print(line, highlight=False, markup=False)
    console.print(sentence(course), style="bold", highlight=False, markup=False)
    if FRESH in course.tried:
        command = f"python -m arith_lightning.fit --config {course.folder / REMEDIED}"
        console.print(command, highlight=False, markup=False, soft_wrap=True)
    console.print(f"everything of this: {course.folder}", highlight=False, markup=False, soft_wrap=True)


def write(course: Course) -> None:
    """Write remedies.csv, a row for whatever was tried, and remedies.png."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["remedy", "successes", "n", "low", "high", "median_error", "step", "max_steps", "did"])
    for name, did in (verdicts(course) | ({FRESH: None} if FRESH in course.tried else {})).items():
        tried, built = course.tried[name], course.fits.get(course.winner if name == FRESH else name, course.base)
        writer.writerow([name, *tried.rate, *tried.rate.interval, tried.median, tried.step, built.max_steps, did or ""])
    runs.write(course.folder / "remedies.csv", text.getvalue())
    runs.picture(course.folder / "remedies.png", picture(course), 150)


def picture(course: Course) -> Figure:
    """Draw success rates with their intervals and median errors with the middle half of the seeds, the best on top."""
    rows = list(verdicts(course).items())[::-1]
    figure = Figure(figsize=(9, 1.2 + 0.24 * len(rows)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for row, (name, did) in enumerate(rows):
        tried, color = course.tried[name], COLORS[did] if did else "black"
        left.plot(tried.rate.interval, [row, row], color=color, linewidth=3, alpha=0.4)
        left.plot(tried.rate.value, row, "o", color=color)
        errors = positive(np.quantile(np.nan_to_num(tried.errors, posinf=np.inf), [0.25, 0.5, 0.75], method="lower"))
        right.plot(errors[[0, 2]], [row, row], color=color, linewidth=3, alpha=0.4)
        right.plot(errors[1], row, "o", color=color)
    before = course.tried[AS_IT_IS]
    left.axvline(before.rate.value, color="black", linestyle=":", linewidth=1)
    left.set(yticks=range(len(rows)), yticklabels=[name for name, _ in rows], xlim=(-0.02, 1.02))
    left.set(ylim=(-0.7, len(rows) - 0.3), xlabel="share of seeds that solve it, 95 % interval")
    right.set(xscale="log", xlabel=f"{course.base.data.criterion.name}, median and middle half")
    for did, color in COLORS.items():
        right.plot([], [], "o", color=color, label=did)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, title=course.name)
    return figure


def advised(course: Course) -> tuple[str, str]:
    """Return the main finding, with how many of the failing members it is of, and what the best of its advice did."""
    found = course.tried[AS_IT_IS].found
    if not found:
        return "none", ""
    main, did = found[0], verdicts(course)
    tried = [name for name in did if name in main["remedies"]]
    outcome = f"{tried[0]}: {did[tried[0]]}" if tried else "none of the panel's"
    return f"{main['finding']}, {main['members']} of {main['of']}", outcome


def markdown(courses: Sequence[Course]) -> str:
    """Return a row for each configuration: as it is, why, what the advice did, what solves it, on fresh seeds."""
    lines = [
        "| configuration | as it is | main finding | the best of its advice | best | fresh seeds that solve it |",
        "|---|---|---|---|---|---|",
    ]
    for course in courses:
        fresh = f"{course.tried[FRESH].rate}" if FRESH in course.tried else ""
        best = "nothing to remedy" if course.solved else "nothing" if course.winner == AS_IT_IS else course.winner
        why, outcome = advised(course)
        lines.append(f"| {course.name} | {course.tried[AS_IT_IS].rate} | {why} | {outcome} | {best} | {fresh} |")
    return "\n".join(lines)
