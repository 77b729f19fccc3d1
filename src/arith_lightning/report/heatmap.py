"""The figure of a table: rate, solved-at step and sparsity error by unit and range."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from arith_lightning.report.lines import ALL, Line

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
