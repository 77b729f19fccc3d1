"""From a trained population to its answer: one row a run, a summary, a table to read."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from arith_lightning import baselines, runs
from arith_lightning.diagnosis import Diagnosis
from arith_lightning.evaluation import Rate
from arith_lightning.evaluation.record import NEVER
from arith_lightning.formulas import formula
from arith_lightning.outputs import by_output, side_by_side
from arith_lightning.population import Population, asking

NOT_FINITE = ("inf", "-inf", "nan")
"""Names of numbers that JSON does not have."""
SHOWN = 10
"""Examples shown side by side with their predictions."""
TERMS = "interpolation: examples like those trained on; extrapolation: those that are asked for"
SPARSITY = "sparsity error: how far the weights of those that solve it are from -1, 0 and 1"
READABLE = 50
"""Networks with more weights than this are not printed."""
JUDGED = {
    "lowest": "step of its lowest interpolation error",
    "last": "last step",
    "first_success": "step of its first success",
}
"""The judged step in words."""


def rows(population: Population) -> list[dict[str, Any]]:
    """Return one row a run, in the order of members, the same columns for every dataset; None where not measured."""
    data, record, success = population.data, population.record, population.success
    module, measured = population.module, record.measured
    columns = population.all_columns.data
    asked = [data.asked({name: column[k] for name, column in columns.items()}) for k in range(len(population))]
    return [
        {
            "architecture": type(module).__name__,
            "operation": asked[k].operation,
            "in_features": data.in_features,
            "interpolation": asked[k].interpolation,
            "extrapolation": asked[k].extrapolation,
            "epsilon": asked[k].epsilon,
            "setting": k // len(population.seeds),
            "seed": population.seeds[k % len(population.seeds)],
            "success": bool(success[k]) if measured[k] else None,
            "solved_at_step": solved(int(record.solved_at_step[k])),
            "best_step": solved(int(record.best_step[k])),
            **{
                name: getattr(record, name)[k].item() if measured[k] else None
                for name in ("sparsity_error", "extrapolation_mse", "interpolation_mse", "error")
            },
            "diverged": bool(record.diverged[k]) if measured[k] else None,
        }
        for k in range(len(population))
    ]


def solved(step: int) -> int | None:
    """Return a step, or None for never."""
    return None if step == NEVER else step


def best(population: Population) -> int:
    """Return the member with the lowest interpolation error; the extrapolation set has no say in the choice."""
    return int(population.record.interpolation_mse.nan_to_num(torch.inf).argmin())


def summary(population: Population) -> dict[str, Any]:
    """Return what the run shows, fit for JSON: rate, typical and extreme errors, the best member and its answers.

    Without an evaluation there is no rate, and nothing else is known.
    """
    record, success = population.record, population.success
    measured = int(record.measured.sum())
    if not measured:
        return {
            "architecture": type(population.module).__name__,
            "dataset": type(population.data).__name__,
            "successes": None,
            "n": len(population),
            "measured": 0,
        }
    rate = Rate(int(success.sum()), len(population))
    steps = record.solved_at_step[success].double()
    index = best(population)
    member = population.member(index)
    x, y = population.examples(index, "extrapolation")
    # a network that diverged before its first evaluation has no judged step, and nothing to show
    shown = SHOWN if record.judged[index] else 0
    each = by_output(member, population.data, x, y) if shown else {}
    x, y = x.mT[:shown], y.mT[:shown]
    with torch.no_grad():
        prediction = population.data.original(member.to(x.dtype)(x).mT).mT
    given = population.data.given("extrapolation", {n: c[index].cpu() for n, c in population.all_columns.data.items()})
    worth, values = baselines.worth(population)
    return {
        "architecture": type(member).__name__,
        "dataset": type(population.data).__name__,
        "criterion": population.data.criterion.name,
        "threshold": population.threshold[index].item(),
        "thresholds": [population.threshold.min().item(), population.threshold.max().item()],
        "success_rate": rate.value,
        "interval": rate.interval,
        "successes": rate.successes,
        "n": rate.n,
        "measured": measured,
        "solved_at_step_median": steps.median().item() if len(steps) else None,
        "settings": [
            {"setting": setting, "successes": rate.successes, "n": rate.n, "interval": rate.interval}
            for setting, rate in per_setting(population)
        ],
        "diverged": int(record.diverged.sum()),
        "extrapolation_mse": spread(record.extrapolation_mse),
        "interpolation_mse": spread(record.interpolation_mse),
        "error": spread(record.error),
        "baseline": baselines.constant(population, index),
        worth: {key: None if value is None else -value for key, value in spread(-values).items()},
        "sparsity_error": spread(record.sparsity_error[success & ~record.sparsity_error.isnan()]),
        "best_seed": population.seeds[index % len(population.seeds)],
        "weights": readable(member) if shown else None,
        "formula": formula(population, index) if shown else [],
        "outputs": asking.outputs(population.data),
        "outputs_mse": each,
        "classes": population.data.classes,
        "inputs": x.tolist() if given is None else given.mT[:shown].tolist(),
        "actual": y.tolist(),
        "predicted": prediction.tolist(),
    }


def per_setting(population: Population) -> list[tuple[dict[str, Any], Rate]]:
    """Return every setting with the rate of its own seeds."""
    successes = population.success.view(len(population.settings), -1).sum(1).tolist()
    return [(s, Rate(int(k), len(population.seeds))) for s, k in zip(population.settings, successes, strict=True)]


def spread(values: Tensor) -> dict[str, float | None]:
    """Return best, median and worst of some errors, what is not a number behind all others; None without any."""
    if not len(values):
        return {"best": None, "median": None, "worst": None}
    ordered = values.sort().values
    return {
        "best": ordered[0].item(),
        "median": ordered[(len(ordered) - 1) // 2].item(),
        "worst": ordered[-1].item(),
    }


def read(folder: Path) -> dict[str, Any]:
    """Return a finished run's summary."""
    return numbers(json.loads((folder / runs.RESULT).read_text(encoding="utf-8")))


def numbers(tree: Any) -> Any:
    """Undo `plain`."""
    if isinstance(tree, dict):
        return {key: numbers(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [numbers(item) for item in tree]
    return float(tree) if tree in NOT_FINITE else tree


def plain(tree: Any) -> Any:
    """Return a tree fit for JSON, which has no number for what is not finite: there stands its name."""
    if isinstance(tree, dict):
        return {key: plain(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(item) for item in tree]
    return str(tree) if isinstance(tree, float) and not math.isfinite(tree) else tree


def readable(member: Any) -> dict[str, Any] | None:
    """Return the weights that act on inputs and the raw parameters of a small network; None of a large one."""
    if sum(p.numel() for p in member.parameters()) > READABLE:
        return None
    values = {**member.weights(), **dict(member.named_parameters())}
    return {name.removeprefix("network."): value.detach().tolist() for name, value in values.items()}


def write(population: Population, folder: Path, diagnoses: Sequence[dict[str, Any]] = ()) -> None:
    """Write runs.csv and summary.json, each whole or not at all; the summary last, because it marks a finished run."""
    table = rows(population)
    text = io.StringIO()
    writer = csv.DictWriter(text, table[0].keys())
    writer.writeheader()
    writer.writerows(table)
    runs.write(folder / "runs.csv", text.getvalue())
    runs.write(
        folder / runs.RESULT,
        json.dumps(plain(summary(population) | {"diagnoses": list(diagnoses)}), indent=2, allow_nan=False),
    )


def show(population: Population, console: Console) -> None:
    """Print the answer: how many seeds, how well, with which weights, and some predictions beside the truth."""
    s = summary(population)
    if not s["measured"]:
        console.print(
            f"\n[bold]Nothing was measured: none of the {s['n']} networks was evaluated.[/bold] "
            f"({s['architecture']} on {s['dataset']}; a run needs steps, trainer.max_steps, "
            "and evaluations, trainer.limit_val_batches)",
        )
        return
    low, high = Rate(s["successes"], s["n"]).percent()
    console.print(
        f"\n[bold]{counted(s)} solve it: {s['success_rate']:.0%}, 95 % interval {low} to {high}.[/bold] "
        f"({s['architecture']} on {s['dataset']}; solved: {s['criterion']} below {bar(s)})"
    )
    always, unit = s["baseline"], "accuracy" if "accuracy" in s else "r2"
    if always["error"] < s["thresholds"][0]:
        console.print(f"[bold]Always answering {always['answer']} would solve it, too[/bold]: ask for a smaller error.")
    heads = ("", "best", "median", "worst", f"always {always['answer']}")
    sparse = s["sparsity_error"]["median"] is not None
    table = Table(
        *heads,
        title=f"over all networks, each at the {JUDGED[population.data.judged_step]}",
        caption=f"{TERMS}; {SPARSITY}" if sparse else TERMS,
    )
    lines = {
        "extrapolation MSE": (s["extrapolation_mse"], always["extrapolation_mse"]),
        "interpolation MSE": (s["interpolation_mse"], always["interpolation_mse"]),
    }
    if not population.data.criterion.squared:
        lines = {s["criterion"]: (s["error"], always["error"]), **lines}
    for name, (values, constant) in lines.items():
        table.add_row(name, *(shown(values[key]) for key in ("best", "median", "worst")), shown(constant))
    name, constant = ("accuracy", 1 - always["error"]) if unit == "accuracy" else ("R^2", 0.0)
    table.add_row(name, *(shown(s[unit][key], 6) for key in ("best", "median", "worst")), shown(constant))
    if sparse:
        values = s["sparsity_error"]
        table.add_row("sparsity error (solved)", *(shown(values[key]) for key in ("best", "median", "worst")), "")
    console.print(table)
    median = s["solved_at_step_median"]
    console.print(
        f"median solved-at step: {'never' if median is None else format(median, ',.0f')}   diverged: {s['diverged']}"
    )
    if len(s["settings"]) > 1:
        table = Table("setting", "seeds that solve it", "solved below", title="setting by setting")
        bars = population.threshold[:: len(population.seeds)].tolist()
        for (setting, rate), value in zip(per_setting(population), bars, strict=True):
            table.add_row(", ".join(f"{name} {v}" for name, v in setting.items()), str(rate), f"{value:.4g}")
        console.print(table)
    if not s["predicted"]:
        console.print("no network could be judged: each had diverged when it was first evaluated")
    if s["formula"]:
        console.print(f"the best seed ({s['best_seed']}) has learnt:")
        for line in s["formula"]:
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if s["weights"]:
        console.print(f"weights of the best seed ({s['best_seed']}):")
        for name, values in s["weights"].items():
            console.print(f"  {name} = {values}", highlight=False, markup=False, soft_wrap=True)
    side_by_side(s, console)


def unexplained(population: Population, found: Sequence[Diagnosis]) -> str:
    """Return what is said of the failing networks that no finding holds for; nothing where there are none."""
    failing = int((population.record.measured & ~population.success).sum())
    others = failing - sum(diagnosis.members for diagnosis in found)
    seldom = "; looks are taken at evaluations, evaluate more often (--evaluate_every)" if others == failing else ""
    return f"{others} of {failing} unsolved networks: no cause was found{seldom}." if others > 0 else ""


def counted(s: dict[str, Any]) -> str:
    """Return how many runs of a summary solve it, in words: seeds, times settings where there are several."""
    settings = len(s["settings"])
    if settings == 1:
        return f"{s['successes']} of {s['n']} seeds"
    return f"{s['n'] // settings} seeds x {settings} settings: {s['successes']} of {s['n']} runs"


def bar(s: dict[str, Any]) -> str:
    """Return the error below which runs of a summary are solved; from the lowest to the highest where they differ."""
    low, high = s["thresholds"]
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}, a threshold for each setting"


def shown(value: float | None, digits: int = 3) -> str:
    """Format an error."""
    if value is None:
        return "none"
    return {"inf": "infinite", "nan": "not a number"}.get(str(value), f"{value:.{digits}g}")
