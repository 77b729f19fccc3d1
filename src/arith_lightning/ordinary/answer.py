"""From the courses of all seeds to the answer: a row a seed, a summary, a table to read, curves with bands."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb, hparams_pb
from torch.utils.tensorboard import SummaryWriter

from arith_lightning import runs
from arith_lightning.callbacks.harmless import harmless
from arith_lightning.colors import BLUE
from arith_lightning.evaluation import Rate
from arith_lightning.ordinary.success import Course, Success
from arith_lightning.private import write_summary
from arith_lightning.results import plain, shown

BANDS = {"q25": 0.25, "median": 0.5, "q75": 0.75}


def rows(courses: Sequence[Course], success: Success) -> list[dict[str, Any]]:
    """Return one row a seed; errors, steps and rates as in the rows of a population, the metric in place of errors."""
    return [
        {
            "seed": course.seed,
            "success": course.success(success),
            "solved_at_step": course.solved_at(success),
            "steps": course.steps[-1],
            success.monitor: course.value,
            f"best_{success.monitor}": success.best(course.values),
            "diverged": course.diverged,
        }
        for course in courses
    ]


def summary(courses: Sequence[Course], success: Success, config: dict[str, Any]) -> dict[str, Any]:
    """Return what the run shows, fit for JSON: the rate with its interval, typical and extreme values of the metric."""
    rate = Rate(sum(course.success(success) for course in courses), len(courses))
    steps = sorted(step for course in courses if (step := course.solved_at(success)) is not None)
    sign = 1 if success.above is None else -1
    ordered = sorted(courses, key=lambda c: float("inf") if c.diverged else sign * c.value)
    return {
        "architecture": config["model"]["class_path"].rpartition(".")[2],
        "dataset": config["data"]["class_path"].rpartition(".")[2],
        "criterion": str(success),
        "success_rate": rate.value,
        "interval": rate.interval,
        "successes": rate.successes,
        "n": rate.n,
        "measured": rate.n,
        "solved_at_step_median": float(np.median(steps)) if steps else None,
        "diverged": sum(course.diverged for course in courses),
        "best_seed": ordered[0].seed,
        success.monitor: {
            "best": ordered[0].value,
            "median": ordered[(len(ordered) - 1) // 2].value,
            "worst": ordered[-1].value,
        },
    }


def write(courses: Sequence[Course], success: Success, config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write runs.csv, the curves and summary.json; the summary last, because it marks a finished run.

    Returns:
        The summary.
    """
    table, text = rows(courses, success), io.StringIO()
    writer = csv.DictWriter(text, table[0].keys())
    writer.writeheader()
    writer.writerows(table)
    runs.write(folder / "runs.csv", text.getvalue())
    found = summary(courses, success, config)
    with harmless("the figure curves"):
        (folder / "figures").mkdir(exist_ok=True)
        runs.picture(folder / "figures" / "curves.png", curves(courses, success), 130)
    with harmless("the dashboard"):
        board(courses, success, config, folder, found)
    runs.write(folder / runs.RESULT, json.dumps(plain(found), indent=2, allow_nan=False))
    return found


def over_steps(courses: Sequence[Course], success: Success) -> dict[int, dict[str, float]]:
    """Return the quantiles of the metric and the share beyond the bound, at each step that every seed has reached."""
    at = [dict(zip(course.steps, course.values, strict=True)) for course in courses]
    common = sorted(set(at[0]).intersection(*at))
    found = {}
    for step in common:
        values = [values[step] for values in at]
        ordered = np.nan_to_num(np.array(values), nan=np.inf if success.above is None else -np.inf)
        quantiles = np.quantile(ordered, list(BANDS.values()), method="nearest").tolist()
        found[step] = dict(zip(BANDS, quantiles, strict=True)) | {
            "rate": float(np.mean([*map(success.passed, values)]))
        }
    return found


def curves(courses: Sequence[Course], success: Success) -> Figure:
    """Draw the metric of every seed over steps, the median, and the bound."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes, median = figure.subplots(), over_steps(courses, success)
    for course in courses:
        axes.plot(
            course.steps, course.values, color=BLUE, linewidth=0.7, alpha=0.4, marker="." if len(median) == 1 else ""
        )
    axes.plot(list(median), [band["median"] for band in median.values()], color=BLUE, linewidth=2, label="median")
    axes.axhline(success.bound, color="black", linewidth=0.8, linestyle="--", label="bound")
    axes.set(xlabel="optimizer steps", ylabel=success.monitor.replace("_", " "), title=f"{len(courses)} seeds")
    axes.legend()
    return figure


def board(
    courses: Sequence[Course], success: Success, config: dict[str, Any], folder: Path, found: dict[str, Any]
) -> None:
    """Write bands over seeds, the success rate, the figure, and the run's row of the HParams tab as event files."""
    chosen = {
        f"{part}.{name}": value if isinstance(value, (bool, int, float, str)) else str(value)
        for part in ("model", "data")
        for name, value in {"class_path": config[part]["class_path"], **(config[part].get("init_args") or {})}.items()
    }
    metrics = [Metric(tag) for tag in ("success_rate", f"{success.monitor}/median")]
    with SummaryWriter(str(folder)) as writer:
        writer.add_custom_scalars(
            {"seeds": {success.monitor: ["Margin", [f"{success.monitor}/{band}" for band in ("median", "q25", "q75")]]}}
        )
        for step, bands in over_steps(courses, success).items():
            for name in BANDS:
                writer.add_scalar(f"{success.monitor}/{name}", bands[name], step)
            writer.add_scalar("success_rate", bands["rate"], step)
        writer.add_scalar("success_rate", found["success_rate"], max(course.steps[-1] for course in courses))
        writer.add_text("config", f"```yaml\n{(folder / runs.CONFIG).read_text()}\n```")
        writer.add_figure("curves", curves(courses, success))
        for line in (hparams_config_pb([*map(HParam, chosen)], metrics), hparams_pb(chosen, trial_id=str(folder))):
            write_summary(writer, line)


def show(found: dict[str, Any], monitor: str, console: Console) -> None:
    """Print the answer: how many seeds, how well."""
    rate = Rate(found["successes"], found["n"])
    low, high = rate.percent()
    console.print(
        f"\n[bold]{rate.successes} of {rate.n} seeds solve it: {rate.value:.0%}, 95 % interval {low} to {high}.[/bold] "
        f"({found['architecture']} on {found['dataset']}; solved: {found['criterion']} at the last evaluation)"
    )
    table = Table("", "best", "median", "worst", title="over all seeds, each at its last evaluation")
    table.add_row(monitor, *(shown(found[monitor][key], 4) for key in ("best", "median", "worst")))
    console.print(table)
    median = found["solved_at_step_median"]
    steps = "never" if median is None else format(median, ",.0f")
    console.print(f"median solved-at step: {steps}   diverged: {found['diverged']}   best seed: {found['best_seed']}")
