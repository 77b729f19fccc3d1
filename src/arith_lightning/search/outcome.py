"""What a finished study says: the best setting on fresh seeds, then the share of the space that trains and the map.

Every number has its own range of `arith_lightning.seeds`: trials are scored on TRIALS; the best are told apart on
SELECTION; the setting that wins is measured on FRESH; share and map are drawn on CHARTED, from random and from evenly
spaced settings, because a sampler's trials crowd where it succeeds. Evaluation sets differ, too: trials, selection and
maps are judged on the sets of `training.JUDGED_ON`, the winner on those of `fit`.
"""

import json
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import yaml
from optuna.study import Study

from arith_lightning import seeds
from arith_lightning.evaluation import Rate
from arith_lightning.runs import write
from arith_lightning.search import board, studies
from arith_lightning.search.chart import Chart, table
from arith_lightning.search.objective import Result
from arith_lightning.search.picture import TRAINS, draw
from arith_lightning.search.pool import Pool
from arith_lightning.search.space import Setting, Space
from arith_lightning.search.worker import Work, Worker

SELECTION = seeds.first(64, seeds.SELECTION)
FRESH = seeds.first(100, seeds.FRESH)
CHARTED = seeds.first(8, seeds.CHARTED)
FINALISTS = 8
SAMPLED = 128
"""Random settings that the share is estimated from, but no more than a study has trials."""
CHUNK = 21
"""Settings that one worker trains at a time, at most."""
LONGER, FEWER = 8, 32
"""Where the best setting does not train: how much longer it is trained once more, on how many of the fresh seeds."""

SUMMARY, BEST, LONG, TRIALS, SHARE = "summary.json", "best.yaml", "longer.yaml", "trials.csv", "share.csv"
EXTRAS = ("share", "map")
"""What may be left out of an outcome."""
ASKED = "asked"
"""Key of the summary under which its question is kept."""

Advance = Callable[[int], None]
"""Told how many more settings are done."""


class LateError(Exception):
    """The time of the command is over."""


class Outcome(NamedTuple):
    """What is reported of a study."""

    best: Setting
    fresh: Rate
    solved_at: float | None
    """Median over the fresh seeds that solve it of the step at which they first do."""
    longer: Rate | None
    """Rate of the best setting after LONGER times the steps, where it does not train; None where it does."""
    windows: dict[str, list[float]]
    """Lowest and highest value of every number among the settings that train."""
    trials: int
    share: Rate | None = None
    """Share of random settings that train; None if it was not asked for, or not in time."""

    @property
    def trains(self) -> bool:
        """Whether the best setting trains."""
        return self.fresh.value >= TRAINS


def conclude(study: Study, work: Work, pool: Pool, folder: Path, advance: Advance) -> Outcome:
    """Select the best setting and measure it; write everything that is known then into the study's folder."""
    space, trials = work.space, studies.finished(study)
    write(folder / TRIALS, table([(row(t), Result(**t.user_attrs["result"])) for t in trials]))
    best = select(study, work, pool, advance)
    config = space.configuration(best, list(FRESH))
    fresh = measured(pool, folder / BEST, config)
    longer = None
    if fresh.rate < TRAINS:
        told = measured(pool, folder / LONG, stretched(config) | {"seeds": list(FRESH[:FEWER])})
        longer = Rate(told.successes, told.n)
    solved_at = None if math.isnan(fresh.solved_at) else fresh.solved_at
    rate = Rate(fresh.successes, fresh.n)
    found = Outcome(best, rate, solved_at, longer, windows(space, tried(study, space)), len(trials))
    write(folder / BEST, f"# {rate} of the seeds in this file succeed; found by search/optimize.py\n{as_yaml(config)}")
    keep(folder, study, space, found)
    board.tell(folder, study, found._asdict(), {})
    return found


def explore(
    study: Study, work: Work, pool: Pool, folder: Path, known: Outcome, without: Collection[str], advance: Advance
) -> Outcome:
    """Add the share of the space that trains and the map to an outcome, except what is to be left out.

    Raises:
        LateError: the command's time was over before.
    """
    space, figures = work.space, {}
    if known.share is None and "share" not in without:
        settings = sample(space, min(SAMPLED, space.trials))
        sampled = evaluate(work, pool, settings, CHARTED, advance, deadline=work.deadline, drop_decided=True)
        pairs = list(zip(settings, sampled, strict=True))
        write(folder / SHARE, table(pairs))
        share = Rate(sum(result.rate >= TRAINS for result in sampled), len(sampled))
        known = known._replace(share=share, windows=windows(space, [*pairs, *tried(study, space)]))
        figures["importances"] = board.importances(space, settings, sampled, folder)
    if space.axes and "map" not in without:
        chart = Chart(space, space.points, CHARTED, folder, known.best)
        if chart.recall() is None:
            if time.time() > work.deadline:
                raise LateError
            figures["map"] = draw(chart, chart.train(pool, advance), known.best)
    if figures:
        keep(folder, study, space, known)
        board.tell(folder, study, known._asdict(), figures)
    return known


def keep(folder: Path, study: Study, space: Space, known: Outcome) -> None:
    """Write a study's summary."""
    write(folder / SUMMARY, json.dumps({ASKED: asked(study, space)} | known._asdict(), indent=2))


def measured(pool: Pool, path: Path, config: dict[str, Any]) -> Result:
    """Write a configuration, and return what its seeds do."""
    write(path, as_yaml(config))
    return next(done[1] for done in pool.each(Worker.measure, [(str(path),)]) if done)


def as_yaml(config: dict[str, Any]) -> str:
    """Return a configuration as text."""
    return yaml.safe_dump(config, sort_keys=False, width=120, default_flow_style=None)


def stretched(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration that trains LONGER times as long, its schedule stretched, evaluated as often."""
    arguments, trainer = config["model"].get("init_args") or {}, config["trainer"]
    schedule = {key: LONGER * arguments[key] for key in ("schedule_steps",) if key in arguments}
    return config | {
        "evaluate_every": LONGER * config.get("evaluate_every", trainer["max_steps"]),
        "model": config["model"] | {"init_args": arguments | schedule},
        "trainer": trainer | {"max_steps": LONGER * trainer["max_steps"]},
    }


def tried(study: Study, space: Space) -> list[tuple[Setting, Result]]:
    """Return the settings of a study that trained to the end, and what came of them."""
    return [(space.settings(t.params), Result(**t.user_attrs["result"])) for t in studies.completed(study)]


def windows(space: Space, found: Sequence[tuple[Setting, Result]]) -> dict[str, list[float]]:
    """Return the lowest and the highest value of every number among the settings that train."""
    good = [setting for setting, result in found if result.rate >= TRAINS]
    numbers = [parameter.key for parameter in space.parameters if not parameter.choices]
    values = {key: [setting[key] for setting in good if key in setting] for key in numbers}
    return {key: [min(each), max(each)] for key, each in values.items() if each}


def row(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """Return a trial as a row of a table."""
    return {"trial": trial.number, "state": trial.state.name, "value": trial.value, **trial.params}


def asked(study: Study, space: Space) -> str:
    """Return what tells the question of an answer from others: this study, in its storage, as far as it has come."""
    return space.digest(study.user_attrs[studies.STUDY], space.points, len(studies.finished(study)))


def recall(folder: Path, study: Study, space: Space) -> Outcome | None:
    """Return what an earlier start concluded from this study; None if it has gone on, or the folder is another's."""
    path = folder / SUMMARY
    if not path.exists() or not (folder / BEST).exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop(ASKED, None) != asked(study, space):
            return None
        rates = {key: content[key] and Rate(*content[key]) for key in ("fresh", "longer", "share")}
        return Outcome(**content | rates)
    except (ValueError, TypeError, KeyError, AttributeError):  # torn or foreign: concluded anew
        return None


def amount(space: Space, known: Outcome | None, without: Collection[str]) -> int:
    """Return how many settings are left to train for an outcome."""
    share = 0 if "share" in without or (known and known.share) else min(SAMPLED, space.trials)
    cells = len(Chart(space, space.points, CHARTED, Path()).cells()) if space.axes and "map" not in without else 0
    return (0 if known else FINALISTS) + share + cells


def select(study: Study, work: Work, pool: Pool, advance: Advance) -> Setting:
    """Return the best of the best trials, judged on seeds that no trial has seen."""
    ranked = sorted(studies.completed(study), key=lambda trial: -(trial.value or 0))[:FINALISTS]
    settings = [work.space.settings(trial.params) for trial in ranked]
    results = evaluate(work, pool, settings, SELECTION, advance, chunk=1)
    advance(FINALISTS - len(settings))

    def quality(index: int) -> tuple[float, float, float]:
        result = results[index]
        return result.rate, -np.nan_to_num(result.solved_at, nan=np.inf), -result.excess

    return settings[max(range(len(settings)), key=quality)]


def sample(space: Space, count: int) -> list[Setting]:
    """Return uniformly random settings, the same at every start."""
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    return [space.suggest(study.ask()) for _ in range(count)]


def evaluate(
    work: Work,
    pool: Pool,
    settings: Sequence[Setting],
    members: range,
    advance: Advance,
    chunk: int = CHUNK,
    deadline: float = math.inf,
    drop_decided: bool = False,
) -> list[Result]:
    """Train settings on all workers; return the results in order.

    Raises:
        LateError: they were not all begun before the deadline.
    """
    # settings of one structure side by side, so that few chunks hold more than one
    order = sorted(
        range(len(settings)), key=lambda k: [str(v) for v in settings[k].values() if not isinstance(v, float)]
    )
    # even parts: a small rest would be stepped, and compiled, in its own way
    parts = [part.tolist() for part in np.array_split(order, -(-len(order) // chunk)) if len(part)]
    results: dict[int, Result] = {}

    def jobs() -> Iterator[tuple[Any, ...]]:
        for part in parts:
            if time.time() > deadline:
                return
            yield work.space, work.compile, [settings[k] for k in part], members, drop_decided

    for done in pool.each(Worker.train, jobs()):
        if done is not None:
            results |= dict(zip(parts[done[0]], done[1], strict=True))
            advance(len(parts[done[0]]))
    if len(results) < len(settings):
        raise LateError
    return [results[k] for k in range(len(settings))]
