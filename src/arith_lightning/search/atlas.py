"""Draw where training succeeds: `python search/atlas.py nmu_mul`.

A dense map of success rates over the two keys of the space's `map`, a panel for each value of the third, with what
theory knows drawn over it. Finished tiles are kept: running the command again continues.
"""

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from arith_lightning import seeds
from arith_lightning.complaint import require
from arith_lightning.search import command
from arith_lightning.search.chart import Chart
from arith_lightning.search.declaration import load
from arith_lightning.search.picture import PICTURE
from arith_lightning.search.picture import draw as picture
from arith_lightning.shipped import available

LARGEST = 1_000_000
"""Cells that a map may have; each is parsed, trained and kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse(arguments)
    return command.answer(lambda: draw(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", metavar="SPACE", help=f"name or file; there are {', '.join(available())}")
    parser.add_argument("--cells", type=command.positive, nargs=2, metavar=("X", "Y"), help="instead of the file's")
    parser.add_argument("--seeds", type=command.positive, default=16, help="seeds of each cell (default: 16)")
    parser.add_argument("--steps", type=command.positive, help="optimizer steps, instead of the file's")
    parser.add_argument("--logs", type=Path, default=Path("logs/atlas"), help="where the maps' folders are")
    command.add_workers(parser)
    return parser.parse_args(arguments)


def draw(options: argparse.Namespace) -> None:
    """Train the map and write its files."""
    space = load(options.space)
    space = replace(space, steps=options.steps or space.steps)
    if not space.axes:
        raise ValueError(f"{space.name}: a space must have a `map` to be drawn; give it x and y")
    space.validate()
    points = tuple(options.cells) if options.cells else space.points
    require(min(points) > 1, "--cells must be at least 2 in each direction", points, "try 24 16")
    require(math.prod(points) <= LARGEST, f"--cells must make at most {LARGEST:,} cells", points, "try 256 256")
    console, began = Console(), time.monotonic()
    folder = options.logs / space.name
    folder.mkdir(parents=True, exist_ok=True)
    chart = Chart(space, points, seeds.first(options.seeds, seeds.CHARTED), folder)
    pool = command.open_pool(options, lambda reason, worker: command.tell(console, reason))
    try:
        with command.bars(console) as progress:
            task = progress.add_task(space.name, total=len(chart.cells()), note="cells")
            found = chart.train(pool, lambda n: progress.advance(task, n))
    finally:
        pool.stop()
    picture(chart, found)
    console.print(
        f"{len(found):,} cells x {options.seeds} seeds x {space.steps:,} steps in {time.monotonic() - began:.0f} s: "
        f"{folder / PICTURE}",
        highlight=False,
    )
