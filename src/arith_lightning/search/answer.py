"""What a space answers for each value that it asks about: does it train, where, after how many steps.

A table, a sentence on the boundary and a picture, from the outcome of each value's own study.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from arith_lightning import runs
from arith_lightning.search.outcome import LONGER, SHARE, TRIALS, Outcome
from arith_lightning.search.picture import TRAINS, label, scale
from arith_lightning.search.space import Parameter, Space

ANSWER, PICTURE = "answer.md", "answer.png"
COLUMNS = 4
"""Panels of the picture beside each other."""


class Part(NamedTuple):
    """The answer for one value, or one combination of values, that a space asks about."""

    space: Space
    outcome: Outcome

    def value(self, key: str) -> Any:
        """Return the value of what is asked."""
        return self.space.fixed[key]


def tell(space: Space, parts: Sequence[Part], folder: Path, console: Console) -> None:
    """Print the table and the sentence; write them and the picture into the space's folder."""
    heads = [*(name(key) for key in space.asked), "fresh seeds", "median step", f"{LONGER}x steps", "settings"]
    rows = [[*(str(part.value(key)) for key in space.asked), *figures(part.outcome)] for part in parts]
    shown = Table(*heads, title=f"{space.name.replace('_', ' ')}: the best setting of each, trained anew")
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
    said = sentences(space, parts)
    for line in said:
        console.print(line, highlight=False, markup=False)
    ranges = [f"* {titled(space, part)}: {where}" for part in parts if (where := windows(part.outcome))]
    lines = [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
    text = [f"# {space.name}", "\n".join(said), "\n".join(lines)]
    if ranges:
        text.append("\n".join(["Where they train:", "", *ranges]))
    figure = picture(space, parts, folder)
    if figure:
        runs.picture(folder / PICTURE, figure, 150)
        text.append(f"![Settings that train, by value]({PICTURE})")
    runs.write(folder / ANSWER, "\n\n".join(text) + "\n")
    console.print(f"table, windows and picture: {folder / ANSWER}\n", highlight=False, markup=False, soft_wrap=True)


def figures(outcome: Outcome) -> list[str]:
    """Return the cells of a row: rate, median step, rate with more steps, share of settings."""
    step = "never" if outcome.solved_at is None else f"{outcome.solved_at:,.0f}"
    longer, share = outcome.longer, outcome.share
    return [
        f"{outcome.fresh.successes}/{outcome.fresh.n}",
        step,
        f"{longer.successes}/{longer.n}" if longer else "",
        f"{share.successes}/{share.n}" if share else "",
    ]


def sentences(space: Space, parts: Sequence[Part]) -> list[str]:
    """Return which values of the first key train, a sentence for each combination of the others."""
    first, *others = space.asked
    grouped: dict[str, list[Part]] = {}
    for part in parts:
        grouped.setdefault(", ".join(f"{name(key)} {part.value(key)}" for key in others), []).append(part)
    return [sentence(name(first), first, group, where) for where, group in grouped.items()]


def sentence(word: str, key: str, parts: Sequence[Part], where: str) -> str:
    """Return which values of a key train, which do with more steps, and which do not."""
    at: dict[str, list[str]] = {"": [], f"with {LONGER} times the steps ": [], "not ": []}
    for part in parts:
        outcome = part.outcome
        slow = outcome.longer is not None and outcome.longer.value >= TRAINS
        list(at.values())[0 if outcome.trains else 1 if slow else 2].append(str(part.value(key)))
    told = ", ".join(f"{how}at {word} {listed(values)}" for how, values in at.items() if values)
    return f"{where + ': ' if where else ''}trains {told} ({TRAINS:.0%} of fresh seeds or more)"


def windows(outcome: Outcome) -> str:
    """Return from where to where the numbers of settings that train reach."""
    return ", ".join(f"{name(key)} {low:.3g} to {high:.3g}" for key, (low, high) in outcome.windows.items())


def picture(space: Space, parts: Sequence[Part], folder: Path) -> Figure | None:
    """Draw every setting that was tried, by the share of its seeds that succeed, a panel for each value.

    None where the axes of the space's map are not what its trials vary.
    """
    x, y = (space.axes.get(axis) for axis in ("x", "y"))
    free = {parameter.key for part in parts for parameter in part.space.parameters}
    if x is None or y is None or not {x.key, y.key} <= free:
        return None
    across = min(COLUMNS, len(parts))
    down = math.ceil(len(parts) / across)
    figure = Figure(figsize=(7.2, 0.7 + 1.9 * down), layout="constrained")
    places = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for part, place in zip(parts, places, strict=False):
        rate = part.outcome.fresh
        place.set_title(f"{titled(space, part)}: {rate.successes}/{rate.n}", fontsize=8)
        dots = scatter(part, place, x, y, folder.parent / part.space.name)
    for place in places[len(parts) :]:
        place.set_axis_off()
    figure.supxlabel(label(x), fontsize=8)
    figure.supylabel(label(y), fontsize=8)
    bar = figure.colorbar(dots, ax=list(places), pad=0.01)
    bar.set_label("share of seeds that succeed", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def scatter(part: Part, place: Axes, x: Parameter, y: Parameter, folder: Path) -> Any:
    """Draw the settings of one value: grey what was dropped early, a star the one that was measured anew."""
    tried = pd.concat([pd.read_csv(path) for file in (TRIALS, SHARE) if (path := folder / file).exists()])
    dropped = tried.pruned_at.notna()
    place.set(xscale=scale(x), yscale=scale(y))
    place.tick_params(labelsize=7)
    place.plot(tried[x.key][dropped], tried[y.key][dropped], ".", color="lightgrey", markersize=3)
    whole = tried[~dropped]
    dots = place.scatter(whole[x.key], whole[y.key], c=whole.successes / whole.n, s=9, vmin=0, vmax=1, cmap="viridis")
    best = part.outcome.best
    if x.key in best and y.key in best:
        place.plot(best[x.key], best[y.key], "*", color="white", markeredgecolor="black", markersize=9)
    return dots


def titled(space: Space, part: Part) -> str:
    """Return what a part is about."""
    return ", ".join(f"{name(key)} {part.value(key)}" for key in space.asked)


def name(key: str) -> str:
    """Return the last part of a key, for a reader."""
    return key.rpartition(".")[2].replace("_", " ")


def listed(values: Sequence[str]) -> str:
    """Join words."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"
