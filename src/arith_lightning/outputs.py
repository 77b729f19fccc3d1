"""Several outputs, one by one and by name: how well the best network answers each, and its answers beside the truth."""

from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population import asking

SHOWN = 10
"""Answers shown beside the truth, of all outputs together, but of one example at least."""
SEVERAL = 10
"""Outputs up to which each has an error of its own."""


@torch.no_grad()
def by_output(member: ArithmeticModule, data: ArithmeticDataModule, x: Tensor, y: Tensor) -> dict[str, float]:
    """Return the mean squared error of each output by name; nothing of one output, of classes and of very many.

    Args:
        member: a trained network.
        data: what it was trained on.
        x: test examples as it sees them, `(in_features, n)`.
        y: their targets, `(outputs, n)`.
    """
    names = asking.outputs(data)
    if data.classes or not 1 < len(names) <= SEVERAL:
        return {}
    answers = data.original(member.to(x.dtype)(x.mT).mT)
    errors = (answers - y).square().mean(-1, dtype=torch.float64).tolist()
    return dict(zip(names, errors, strict=True))


def side_by_side(s: dict[str, Any], console: Console) -> None:
    """Print the first test examples beside the best seed's predictions, a line for each of a few outputs.

    Args:
        s: the run's summary.
        console: where it is printed.
    """
    if not s["actual"] or len(s["inputs"][0]) > 4:
        return
    title = f"extrapolation, seed {s['best_seed']}"
    examples = list(zip(s["inputs"], s["actual"], s["predicted"], strict=True))
    if len(s["outputs"]) == 1 or s["classes"]:
        table = Table("inputs", "actual", "predicted", title=title)
        for x, y, p in examples:
            table.add_row(numbers(x), answer(y, s), answer(p, s))
        console.print(table)
        return
    if not s["outputs_mse"]:
        return
    table = Table("output", "extrapolation MSE", title=f"output by output, seed {s['best_seed']}")
    for name, error in s["outputs_mse"].items():
        table.add_row(name, f"{error:.3g}")
    console.print(table)
    table = Table("inputs", "output", "actual", "predicted", title=title)
    for x, y, p in examples[: max(1, SHOWN // len(s["outputs"]))]:
        for k, name in enumerate(s["outputs"]):
            table.add_row("" if k else numbers(x), name, f"{y[k]:.6g}", f"{p[k]:.6g}", end_section=k == len(y) - 1)
    console.print(table)


def numbers(x: list[float]) -> str:
    """Return inputs as text."""
    return ", ".join(f"{value:g}" for value in x)


def answer(y: list[float], s: dict[str, Any]) -> str:
    """Return an answer as text: a number, or of classes the likeliest."""
    return s["outputs"][max(range(len(y)), key=y.__getitem__)] if s["classes"] else f"{y[0]:.9g}"
