"""The figure of a table: rate, solved-at step and sparsity error by unit and range."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from arith_lightning.report.lines import ALL, Line, sparsity, step

INK = {True: "white", False: "black"}
UNSOLVED = "not\nsolved"
NOTHING = "none"
LEGEND = (
    "Not solved: no run succeeds. None: this network has no sparsity error. Numbers are those of the table; colors end "
    "at 1,000 and 10,000,000 steps and at sparsity errors of 1e-9 and 1."
)


@dataclass(frozen=True)
class Panel:
    """One row of panels.

    Args:
        title: what is shown.
        value: that of a line; None where there is none.
        text: how the value is written into its cell.
        scale: of the colors.
        ends: values at which the colors end; what lies beyond has the last color and its own number.
    """

    title: str
    value: Callable[[Line], float | None]
    text: Callable[[float], str]
    scale: str
    ends: tuple[float, float]


PANELS = (
    Panel("success rate", lambda x: x.rate.value, "{:.2f}".format, "linear", (0, 1)),
    Panel("solved-at step (median)", lambda x: x.solved_at_step, step, "log", (1e3, 1e7)),
    Panel("sparsity error (median)", lambda x: x.sparsity_error, sparsity, "log", (1e-9, 1)),
)


def figure(found: Sequence[Line]) -> Figure:
    """Draw rate, solved-at step and sparsity error by unit and range, a column of panels for each operation."""
    operations = list(dict.fromkeys(x.operation for x in found))
    ranges = list(dict.fromkeys(x.interpolation for x in found if x.interpolation != ALL))
    units = {name: list(dict.fromkeys(x.unit for x in found if x.operation == name)) for name in operations}
    labels = 0.15 * max(map(len, ranges))  # height of the slanted names of ranges, three rows of them
    size = (2 + (1.6 + 0.5 * len(ranges)) * len(operations), 1.7 + labels + 0.8 * max(map(len, units.values())))
    drawn = Figure(figsize=size, layout="constrained")
    drawn.supxlabel("\n".join(textwrap.wrap(LEGEND, int(18 * size[0]))), fontsize=7)
    panels = drawn.subplots(len(PANELS), len(operations), squeeze=False)
    for row, panel in zip(panels, PANELS, strict=True):
        for axes, operation in zip(row, operations, strict=True):
            asked = [x for x in found if x.operation == operation and x.interpolation != ALL]
            fill(axes, panel, asked, units[operation], ranges)
            axes.set_title(f"{operation}: {panel.title}", fontsize=9)
    return drawn


def fill(axes: Axes, panel: Panel, asked: Sequence[Line], units: Sequence[str], ranges: Sequence[str]) -> None:
    """Draw the cells of one operation, `(units, ranges)`; a cell that was not measured stays empty."""
    colors = np.full((len(units), len(ranges)), np.nan)
    texts = {}
    for x in asked:
        at, value = (units.index(x.unit), ranges.index(x.interpolation)), panel.value(x)
        texts[at] = cell(panel, x)
        colors[at] = np.nan if value is None else np.clip(value, *panel.ends)
    low, high = panel.ends
    image = axes.pcolormesh(colors, norm=panel.scale, vmin=low, vmax=high, cmap="viridis", edgecolor="white")
    dark = np.ma.filled(image.norm(colors), np.nan) < 0.6  # not where there is no color
    for (y, x_), text in texts.items():
        axes.text(
            x_ + 0.5, y + 0.5, text, ha="center", va="center", fontsize=6, linespacing=0.9, color=INK[bool(dark[y, x_])]
        )
    axes.set_facecolor("#eeeeee")
    axes.set_xticks(np.arange(len(ranges)) + 0.5, ranges, rotation=45, ha="right", fontsize=7)
    axes.set_yticks(np.arange(len(units)) + 0.5, units, fontsize=7)
    axes.invert_yaxis()


def cell(panel: Panel, x: Line) -> str:
    """Return what is written into a line's cell."""
    value = panel.value(x)
    if value is None:
        return NOTHING if x.rate.successes else UNSOLVED
    return panel.text(value)
