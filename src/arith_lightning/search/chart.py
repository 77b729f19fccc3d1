"""A dense map of success over two or three keys of a space, trained tile by tile.

A tile is a stretch of cells whose seeds fill a worker for seconds; each finished one is kept, so an interrupted map
goes on where it was. The finished map is `map.npz` (arrays) and `map.csv` (a row a cell).
"""

import csv
import io
import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch

from arith_lightning.population.compilation import able
from arith_lightning.runs import write
from arith_lightning.search.objective import Result
from arith_lightning.search.pool import Pool
from arith_lightning.search.space import Parameter, Setting, Space
from arith_lightning.search.worker import Worker

TILE_EXAMPLES = 2**19
"""Training examples (members times batch size) of a tile: milliseconds a step, members enough for the cache."""
EAGER_EXAMPLES = 2 * 10**9
"""Training examples (times steps) up to which a map is stepped eagerly: two minutes of a core; compiled, a tenth."""
ARRAYS, TABLE, TILES = "map.npz", "map.csv", "tiles"
UNREADABLE = (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile)
"""What reading a torn or foreign file of numpy raises."""
NUMBERS = ("successes", "n", "diverged", "excess", "solved_at")
"""Fields of a result that a map keeps."""


@dataclass(frozen=True)
class Chart:
    """A map of a space.

    Attributes:
        space: whose map.
        points: cells along x and y.
        seeds: seeds of each cell.
        folder: where the files are.
        at: values of keys that are not axes.
    """

    space: Space
    points: tuple[int, int]
    seeds: Sequence[int]
    folder: Path
    at: Setting = field(default_factory=dict)

    @property
    def panels(self) -> list[tuple[Any, Setting]]:
        """What each panel stands for, and its setting."""
        axis = self.space.axes.get("panels")
        return axis.cells(0) if axis else [(None, {})]

    @property
    def axes(self) -> tuple[Parameter, Parameter]:
        """The axes x and y."""
        return self.space.axes["x"], self.space.axes["y"]

    def cells(self) -> list[Setting]:
        """Return the settings of all cells, panel by panel, row by row."""
        x, y = (axis.cells(count) for axis, count in zip(self.axes, self.points, strict=True))
        product = itertools.product(self.panels, y, x)
        return [self.space.active(self.at | panel | up | across) for (_, panel), (_, up), (_, across) in product]

    @cached_property
    def batches(self) -> list[int]:
        """Batch size of each panel."""
        cells = self.cells()
        firsts = cells[:: len(cells) // len(self.panels)]
        return [self.space.build(cell).data.batch_size for cell in firsts]

    @property
    def compile(self) -> bool:
        """Whether to compile the steps: from some minutes of one core on, whatever the number of workers."""
        members = len(self.cells()) // len(self.panels) * len(self.seeds)
        examples = sum(self.batches) * members * self.space.steps
        return examples > EAGER_EXAMPLES and able(torch.device("cpu"))

    def tiles(self) -> list[range]:
        """Return the cells of each tile; no tile spans two panels, whose populations may differ in structure."""
        tiles = []
        size = len(self.cells()) // len(self.panels)
        for index, batch in enumerate(self.batches):
            start, count = index * size, -(-size * len(self.seeds) * batch // TILE_EXAMPLES)
            # even parts: a small rest would be stepped, and compiled, in its own way
            edges = np.linspace(start, start + size, min(size, count) + 1).astype(int).tolist()
            tiles += [range(a, b) for a, b in itertools.pairwise(edges)]
        return tiles

    def digest(self) -> str:
        """Return what tells this map from any other."""
        return self.space.digest(self.points, list(self.seeds), self.at)

    def train(self, pool: Pool, advance: Callable[[int], None]) -> list[Result]:
        """Train what is not kept yet, keep it, and return the results of all cells.

        Args:
            pool: workers.
            advance: told how many more cells are done.
        """
        if (known := self.recall()) is not None:
            advance(len(known))
            return known
        cells, tiles, kept = self.cells(), self.tiles(), self.folder / TILES
        kept.mkdir(parents=True, exist_ok=True)
        digest = self.digest()
        paths = [kept / f"{digest}-{tile.start}.npy" for tile in tiles]
        missing = [k for k, path in enumerate(paths) if tile(path, len(tiles[k])) is None]
        advance(len(cells) - sum(len(tiles[k]) for k in missing))
        compile, seeds = self.compile, list(self.seeds)
        # what is solved need not be trained on: a third of the work of a map of which a third trains
        jobs = [(self.space, compile, [cells[c] for c in tiles[k]], seeds, True) for k in missing]
        for done in pool.each(Worker.train, jobs):
            if done is not None:
                k = missing[done[0]]
                save(paths[k], np.array([[getattr(r, name) for name in NUMBERS] for r in done[1]], dtype=float))
                advance(len(tiles[k]))
        read = [tile(path, len(stretch)) for path, stretch in zip(paths, tiles, strict=True)]
        whole = [part for part in read if part is not None]
        if len(whole) < len(read):  # another command has finished the same map, and has cleared away
            return self.train(pool, lambda n: None)
        rows = np.concatenate(whole)
        self.finish(rows)
        for path in paths:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            kept.rmdir()
        return results(rows)

    def recall(self) -> list[Result] | None:
        """Return the results of a finished map; None if there is none, or one of something else."""
        try:
            with np.load(self.folder / ARRAYS, allow_pickle=False) as known:
                if str(known["digest"]) == self.digest():
                    return results(np.stack([known[name].ravel() for name in NUMBERS], axis=1))
        except UNREADABLE:
            pass
        return None

    def finish(self, rows: np.ndarray) -> None:
        """Write the data: arrays `(panels, y, x)`, and a table."""
        x, y = (axis.cells(count) for axis, count in zip(self.axes, self.points, strict=True))
        shape = (len(self.panels), len(y), len(x))
        arrays = {name: rows[:, k].reshape(shape) for k, name in enumerate(NUMBERS)}
        arrays |= {"x": np.array([value for value, _ in x]), "y": np.array([value for value, _ in y])}
        arrays |= {"panels": np.array([str(value) for value, _ in self.panels]), "digest": np.array(self.digest())}
        save(self.folder / ARRAYS, arrays)
        write(self.folder / TABLE, table(list(zip(self.cells(), results(rows), strict=True))))


def tile(path: Path, cells: int) -> np.ndarray | None:
    """Return the rows of a finished tile; None if there is none, or one that is torn."""
    try:
        rows = np.load(path, allow_pickle=False)
    except UNREADABLE:
        return None
    return rows if rows.shape == (cells, len(NUMBERS)) and rows.dtype == float else None


def results(rows: np.ndarray) -> list[Result]:
    """Return results from rows of NUMBERS."""
    return [Result(int(s), int(n), int(diverged), excess, at) for s, n, diverged, excess, at in rows.tolist()]


def save(path: Path, arrays: np.ndarray | dict[str, np.ndarray]) -> None:
    """Write one array (.npy) or several (.npz), whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        if isinstance(arrays, dict):
            np.savez_compressed(file, allow_pickle=False, **arrays)
        else:
            np.save(file, arrays)
    part.replace(path)


def table(rows: Sequence[tuple[Setting, Result]]) -> str:
    """Return settings and results as CSV."""
    keys = sorted({key for setting, _ in rows for key in setting})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*keys, *Result._fields])
    writer.writerows([*(setting.get(key, "") for key in keys), *result] for setting, result in rows)
    return text.getvalue()
