"""What a finished study says: the best setting on fresh seeds, the share of the space that trains, the map of where.

Every number has its own range of `arith_lightning.seeds`: trials are scored on TRIALS; the best are told apart on
SELECTION; the setting that wins is measured on FRESH; share and map are drawn on CHARTED, from random and from evenly
spaced settings, because a sampler's trials crowd where it succeeds. Evaluation sets differ, too: trials, selection and
maps are judged on the sets of `training.JUDGED_ON`, the winner on those of `fit`.
"""

import json
from collections.abc import Callable, Sequence
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
"""Random settings that the share is estimated from."""
CHUNK = 21
"""Settings that one worker trains at a time, at most."""

SUMMARY, BEST, TRIALS = "summary.json", "best.yaml", "trials.csv"
ASKED = "asked"
"""Key of the summary under which its question is kept."""

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
    fresh = next(done[1] for done in pool.each(Worker.measure, [(str(folder / BEST),)]) if done)
    trials = studies.finished(study)
    write(folder / TRIALS, table([(row(t), Result(**t.user_attrs["result"])) for t in trials]))
    settings = sample(space, SAMPLED)
    sampled = evaluate(work, pool, settings, CHARTED, advance)
    share = Rate(sum(result.rate >= TRAINS for result in sampled), SAMPLED)
    outcome = Outcome(best, fresh, share, len(trials))
    write(folder / BEST, f"# {fresh} of the seeds in this file succeed; found by search/optimize.py\n{config}")
    figures = {"importances": board.importances(space, settings, sampled, folder)}
    if space.axes:
        chart = Chart(space, space.points, CHARTED, folder, best)
        figures["map"] = draw(chart, chart.train(pool, advance), best)
    board.tell(folder, study, outcome._asdict(), figures)
    write(folder / SUMMARY, json.dumps({ASKED: asked(study, space)} | outcome._asdict(), indent=2))
    return outcome


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
        return Outcome(content["best"], Rate(*content["fresh"]), Rate(*content["share"]), content["trials"])
    except (ValueError, TypeError, KeyError, AttributeError):  # torn or foreign: concluded anew
        return None


def amount(space: Space) -> int:
    """Return how many settings `conclude` trains."""
    return FINALISTS + SAMPLED + (len(Chart(space, space.points, CHARTED, Path()).cells()) if space.axes else 0)


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
    work: Work, pool: Pool, settings: Sequence[Setting], members: range, advance: Advance, chunk: int = CHUNK
) -> list[Result]:
    """Train settings on all workers; return the results in order."""
    # settings of one structure side by side, so that few chunks hold more than one
    order = sorted(
        range(len(settings)), key=lambda k: [str(v) for v in settings[k].values() if not isinstance(v, float)]
    )
    # even parts: a small rest would be stepped, and compiled, in its own way
    parts = [part.tolist() for part in np.array_split(order, -(-len(order) // chunk)) if len(part)]
    results: dict[int, Result] = {}
    jobs = [(work.space, work.compile, [settings[k] for k in part], members) for part in parts]
    for done in pool.each(Worker.train, jobs):
        if done is not None:
            results |= dict(zip(parts[done[0]], done[1], strict=True))
            advance(len(parts[done[0]]))
    return [results[k] for k in range(len(settings))]
