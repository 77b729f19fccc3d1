"""The picture of a map: success rate over x and y, a panel for each value of `panels`, theory's lines over it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from arith_lightning import runs
from arith_lightning.search import theory
from arith_lightning.search.chart import Chart
from arith_lightning.search.objective import Result
from arith_lightning.search.space import Parameter, Setting

PICTURE = "map.png"
TRAINS = 0.9
"""Share of its seeds that must succeed for a setting to count as one that trains."""


def draw(chart: Chart, found: Sequence[Result], best: Setting | None = None) -> Figure:
    """Draw a map and save it in the chart's folder.

    Args:
        chart: the map.
        found: results of its cells.
        best: a setting to mark.
    """
    space, (x, y), panels = chart.space, chart.axes, chart.panels
    across, up = (edges(axis, count) for axis, count in zip((x, y), chart.points, strict=True))
    rates = np.array([result.rate for result in found]).reshape(len(panels), len(up) - 1, len(across) - 1)
    figure = Figure(figsize=(1.4 + 3.0 * len(panels), 3.8), layout="constrained")
    places = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    named = space.axes.get("panels")
    for (value, setting), rate, place in zip(panels, rates, places, strict=True):
        mesh = place.pcolormesh(across, up, rate, vmin=0, vmax=1, cmap="viridis", rasterized=True)
        place.set(xlabel=label(x), xscale=scale(x), yscale=scale(y))
        title = f"{named.name.replace('_', ' ')} {value}: " if named else ""
        place.set_title(f"{title}{(rate >= TRAINS).mean():.1%} trains", fontsize=9)
        overlay(chart, setting, place)
        if best and x.key in best and y.key in best and (named is None or best.get(named.key) == value):
            place.plot(best[x.key], best[y.key], "*", color="white", markeredgecolor="black", markersize=13)
    places[0].set_ylabel(label(y))
    figure.colorbar(mesh, ax=list(places), label=f"success rate of {len(chart.seeds)} seeds", pad=0.01)
    figure.suptitle(f"{space.name.replace('_', ' ')}: where it trains in {space.steps:,} steps", fontsize=11)
    runs.picture(chart.folder / PICTURE, figure, 150)
    return figure


def overlay(chart: Chart, panel: Setting, place: Axes) -> None:
    """Draw theory's lines for one panel, if the space names a theory."""
    if not chart.space.theory:
        return
    built = chart.space.build(chart.space.active(chart.cells()[0] | panel))
    outline = [withStroke(linewidth=2, foreground="black")]
    lines = sorted(theory.FUNCTIONS[chart.space.theory](built))
    for index, line in enumerate(lines):
        place.axhline(line.y, color="white", linestyle="--", linewidth=1, path_effects=outline)
        beside: dict[str, Any] = {
            "va": "bottom" if index else "top",
            "fontsize": 7,
            "color": "white",
            "path_effects": outline,
        }
        place.annotate(line.label, (0.02, line.y), xycoords=("axes fraction", "data"), **beside)


def edges(axis: Parameter, count: int) -> np.ndarray:
    """Return the borders of the cells of an axis."""
    if axis.until:
        return np.array(axis.spaced(count + 1))
    centers = np.array([value for value, _ in axis.cells(count)], dtype=float)
    points = np.log(centers) if axis.log else centers
    inner = (points[1:] + points[:-1]) / 2
    borders = np.concatenate([[2 * points[0] - inner[0]], inner, [2 * points[-1] - inner[-1]]])
    return np.exp(borders) if axis.log else borders


def label(axis: Parameter) -> str:
    """Return the axis's name for a reader."""
    name = f"{axis.name} to {axis.until.rpartition('.')[2]}" if axis.until else axis.name
    return name.replace("_", " ")


def scale(axis: Parameter) -> str:
    """Return matplotlib's name of the axis's scale."""
    return "log" if axis.log else "linear"
