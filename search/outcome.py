"""What a finished study says: the best setting on fresh seeds, the share of the space that trains, the map of where.

Every number has its own seeds: trials are scored on seeds 0, 1, ...; the best trials are told apart on SELECTION seeds;
the setting that wins is measured on FRESH seeds; share and map are drawn on others again, from random and from evenly
spaced settings, because a sampler's trials crowd where it succeeds.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from optuna.study import Study
from torch.utils.tensorboard import SummaryWriter

import storage as studies
from arith_lightning.config import experiment
from arith_lightning.evaluation import Rate
from arith_lightning.population import Population
from arith_lightning.runs import write
from objective import Result, fit, summarize
from space import Parameter, Setting, Space
from worker import Pool, Work

SELECTION = range(10_000, 10_064)
FRESH = range(20_000, 20_100)
CHARTED = range(30_000, 30_008)
FINALISTS = 8
SAMPLED = 128
"""Random settings that the share is estimated from."""
TRAINS = 0.9
"""Share of its seeds that must succeed for a setting to count as one that trains."""
CHUNK = 21
"""Settings that one worker trains at a time, at most."""

SUMMARY, BEST, MAP, PICTURE, TRIALS = "summary.json", "best.yaml", "map.csv", "map.png", "trials.csv"

Advance = Callable[[int], None]
"""Told how many more settings are done."""


class Outcome(NamedTuple):
    """What is reported of a study."""

    best: Setting
    fresh: Rate
    share: Rate
    trials: int


def conclude(study: Study, work: Work, pool: Pool, folder: Path, advance: Advance) -> Outcome:
    """Select, measure and draw; write everything into the study's folder."""
    space = work.space
    best = select(study, work, pool, advance)
    config = yaml.safe_dump(space.configuration(best, list(FRESH)), sort_keys=False, width=120, default_flow_style=None)
    write(folder / BEST, config)
    fresh = pool.submit(measure, str(folder / BEST))
    random_settings, grid = sample(space, SAMPLED), space.grid(best) if space.axes else []
    results = train(work, pool, [*random_settings, *grid], list(CHARTED), advance)
    sampled, charted = results[:SAMPLED], results[SAMPLED:]
    outcome = Outcome(
        best,
        fresh.result(),
        Rate(sum(result.rate >= TRAINS for result in sampled), SAMPLED),
        len(studies.completed(study)),
    )
    write(folder / BEST, f"# {outcome.fresh} of the seeds in this file succeed; found by search/optimize.py\n{config}")
    write(folder / TRIALS, table([(t.params, Result(**t.user_attrs["result"])) for t in studies.completed(study)]))
    figure = None
    if grid:
        write(folder / MAP, table(list(zip(grid, charted, strict=True))))
        figure = draw(space, best, grid, charted)
        figure.savefig(folder / PICTURE, dpi=150)
    board(folder, outcome, figure)
    write(folder / SUMMARY, json.dumps(outcome._asdict(), indent=2))
    return outcome


def recall(folder: Path, trials: int) -> Outcome | None:
    """Return what an earlier start concluded from as many trials; None if there is no such thing."""
    path = folder / SUMMARY
    if not path.exists() or not (folder / BEST).exists():
        return None
    content = json.loads(path.read_text())
    outcome = Outcome(content["best"], Rate(*content["fresh"]), Rate(*content["share"]), content["trials"])
    return outcome if outcome.trials == trials else None


def amount(space: Space) -> int:
    """Return how many settings `conclude` trains."""
    return FINALISTS + SAMPLED + (len(space.grid({})) if space.axes else 0)


def select(study: Study, work: Work, pool: Pool, advance: Advance) -> Setting:
    """Return the best of the best trials, judged on seeds that no trial has seen."""
    ranked = sorted(studies.completed(study), key=lambda trial: -(trial.value or 0))[:FINALISTS]
    settings = [dict(trial.params) for trial in ranked]
    results = train(work, pool, settings, list(SELECTION), advance, chunk=1)
    advance(FINALISTS - len(settings))

    def quality(index: int) -> tuple[float, float, float]:
        result = results[index]
        return result.rate, -np.nan_to_num(result.solved_at, nan=np.inf), -result.excess

    return settings[max(range(len(settings)), key=quality)]


def measure(config: str) -> Rate:
    """Train a configuration as `fit` does; return how many of its seeds succeed."""
    built = experiment(["--config", config])
    population = Population(built.module, built.data, built.config["seeds"], evaluate_every=built.evaluate_every)
    fit(population, built.max_steps)
    result = summarize(population)[0]
    return Rate(result.successes, result.n)


def sample(space: Space, count: int) -> list[Setting]:
    """Return uniformly random settings, the same at every start."""
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    return [space.suggest(study.ask()) for _ in range(count)]


def train(
    work: Work, pool: Pool, settings: Sequence[Setting], seeds: list[int], advance: Advance, chunk: int = CHUNK
) -> list[Result]:
    """Train settings on all workers; return the results in order."""
    # settings of one structure side by side, so that few chunks hold more than one
    order = sorted(
        range(len(settings)), key=lambda k: [str(v) for v in settings[k].values() if not isinstance(v, float)]
    )
    # even parts: a small rest would be stepped, and compiled, in its own way
    parts = [part.tolist() for part in np.array_split(order, math.ceil(len(order) / chunk)) if len(part)]
    futures: dict[Future[list[Result]], list[int]] = {
        pool.train(work, [settings[k] for k in part], seeds): part for part in parts
    }
    results: dict[int, Result] = {}
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=1, return_when="FIRST_COMPLETED")
        for future in done:
            results |= dict(zip(futures[future], future.result(), strict=True))
            advance(len(futures[future]))
    return [results[k] for k in range(len(settings))]


def table(rows: Sequence[tuple[Setting, Result]]) -> str:
    """Return settings and results as CSV."""
    keys = sorted({key for setting, _ in rows for key in setting})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*keys, *Result._fields])
    writer.writerows([*(setting.get(key, "") for key in keys), *result] for setting, result in rows)
    return text.getvalue()


def draw(space: Space, best: Setting, grid: Sequence[Setting], results: Sequence[Result]) -> Figure:
    """Return the map: success rate over x and y, a panel for each value of `panels`."""
    x, y, panels = space.axes["x"], space.axes["y"], space.axes.get("panels")
    across, up = x.grid(space.points[0]), y.grid(space.points[1])
    shown = panels.grid(0) if panels else [None]
    rates = np.array([result.rate for result in results]).reshape(len(shown), len(up), len(across))
    figure = Figure(figsize=(1.2 + 3.0 * len(shown), 3.6), layout="constrained")
    axes = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for index, (value, place) in enumerate(zip(shown, axes, strict=True)):
        mesh = place.pcolormesh(_edges(x, across), _edges(y, up), rates[index], vmin=0, vmax=1, cmap="viridis")
        place.set(xlabel=_label(x), xscale=_scale(x), yscale=_scale(y))
        share = (rates[index] >= TRAINS).mean()
        named = f"{panels.name.replace('_', ' ')} {value}" if panels else space.name
        place.set_title(f"{named}: {share:.0%} of the area trains", fontsize=9)
        if x.key in best and y.key in best and (panels is None or best.get(panels.key) == value):
            place.plot(best[x.key], best[y.key], "*", color="white", markeredgecolor="black", markersize=13)
    axes[0].set_ylabel(_label(y))
    figure.colorbar(mesh, ax=list(axes), label=f"success rate of {len(CHARTED)} seeds", pad=0.01)
    figure.suptitle(f"{space.name.replace('_', ' ')}: where it trains in {space.steps} steps", fontsize=11)
    return figure


def board(folder: Path, outcome: Outcome, figure: Figure | None) -> None:
    """Show the outcome in TensorBoard."""
    with SummaryWriter(str(folder)) as writer:
        writer.add_text("best", f"```\n{(folder / BEST).read_text()}```")
        writer.add_scalar("success_rate/best_on_fresh_seeds", outcome.fresh.value)
        writer.add_scalar("success_rate/share_of_space_that_trains", outcome.share.value)
        if figure is not None:
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            writer.add_image("map", np.asarray(canvas.buffer_rgba())[..., :3], dataformats="HWC")


def _edges(axis: Parameter, centers: Sequence[Any]) -> np.ndarray:
    """Return the borders of cells around the points of an axis."""
    points = np.log(centers) if axis.log else np.asarray(centers, dtype=float)
    inner = (points[1:] + points[:-1]) / 2
    edges = np.concatenate([[2 * points[0] - inner[0]], inner, [2 * points[-1] - inner[-1]]])
    return np.exp(edges) if axis.log else edges


def _label(axis: Parameter) -> str:
    return axis.name.replace("_", " ")


def _scale(axis: Parameter) -> str:
    return "log" if axis.log else "linear"
