"""A study in TensorBoard: every trial in one HParams table, importances, map and best setting."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from optuna.study import Study
from optuna.trial import FrozenTrial, create_trial
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb, hparams_pb
from torch.utils.tensorboard import SummaryWriter

from arith_lightning import runs
from arith_lightning.colors import BLUE
from arith_lightning.private import write_summary
from arith_lightning.runs import write
from arith_lightning.search import studies
from arith_lightning.search.objective import Result, value
from arith_lightning.search.space import Setting, Space, encoded

RUNS = "trials"
"""Folder of the trials' own event files."""
METRICS = {"success_rate": "success rate", "log10_error": "log10(error / threshold)", "solved_at": "solved at step"}


def importances(space: Space, settings: Sequence[Setting], results: Sequence[Result], folder: Path) -> Figure:
    """Write how much of a trial's value each parameter decides (PED-ANOVA); none stands out if all are alike.

    Args:
        space: what was searched.
        settings: random ones; a study's own trials crowd where it succeeds, and those that are pruned have no value.
        results: of the settings.
        folder: where importances.json and .png go.
    """
    study = optuna.create_study(direction="maximize")
    known: dict[str, Any] = {parameter.key: parameter.distribution for parameter in space.parameters}
    for setting, result in zip(settings, results, strict=True):
        own = {key: kind for key, kind in known.items() if key in setting}
        params = {key: encoded(setting[key]) for key in own}
        study.add_trial(create_trial(params=params, distributions=own, value=value(result, space.steps)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where all values are equal
        found = optuna.importance.get_param_importances(study)
    write(folder / "importances.json", json.dumps(found, indent=2))
    figure = Figure(figsize=(6, 0.8 + 0.35 * len(found)), layout="constrained")
    axes = figure.subplots()
    names = [key.rpartition(".")[2].replace("_", " ") for key in found]
    axes.barh(names[::-1], list(found.values())[::-1], color=BLUE)
    axes.set(xlabel="importance", title="what decides the success of a trial", xlim=(0, 1))
    runs.picture(folder / "importances.png", figure, 150)
    return figure


def tell(folder: Path, study: Study, outcome: Mapping[str, Any], figures: Mapping[str, Figure]) -> None:
    """Write the study's table of trials, figures and outcome as event files."""
    trials = [trial for trial in studies.finished(study) if "result" in trial.user_attrs]
    keys = sorted({key for trial in trials for key in trial.params})
    with SummaryWriter(str(folder)) as writer:
        # the columns of the table are those of one summary at the root: with one in each run, only one run's survive
        config = hparams_config_pb(
            hparams=[HParam(key) for key in [*keys, "state"]],
            metrics=[Metric(name, display_name=shown) for name, shown in METRICS.items()],
        )
        write_summary(writer, config)
        writer.add_text("best", f"```\n{(folder / 'best.yaml').read_text()}```")
        writer.add_scalar("success_rate/best_on_fresh_seeds", outcome["fresh"].value)
        if outcome["share"] is not None:
            writer.add_scalar("success_rate/share_of_space_that_trains", outcome["share"].value)
        for name, figure in figures.items():
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            writer.add_image(name, np.asarray(canvas.buffer_rgba())[..., :3], dataformats="HWC")
    for trial in trials:
        run = folder / RUNS / f"{trial.number:05d}"
        if not run.exists():
            record(run, trial)


def record(run: Path, trial: FrozenTrial) -> None:
    """Write one row of the table."""
    result = trial.user_attrs["result"]
    values = {
        "success_rate": result["successes"] / result["n"],
        "log10_error": result["excess"],
        "solved_at": result["solved_at"],
    }
    began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    with SummaryWriter(str(run)) as writer:
        hparams = {**trial.params, "state": trial.state.name}
        write_summary(writer, hparams_pb(hparams, trial_id=run.name, start_time_secs=began))
        for name, number in values.items():
            if math.isfinite(number):
                writer.add_scalar(name, number)
        for evaluation, number in trial.intermediate_values.items():
            writer.add_scalar("value_at_rung", number, evaluation)
