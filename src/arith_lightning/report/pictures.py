"""Pictures that several systems share."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from arith_lightning.colors import COLORS
from arith_lightning.figures import positive
from arith_lightning.population import Population
from arith_lightning.report.system import Results


def errors(results: Results, labels: list[str] | None = None) -> Figure:
    """Draw the error on the test set of several runs over steps: median and the middle half of the seeds."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for color, label in zip(COLORS, labels or list(results), strict=False):
        history = results[label].history
        steps = [entry["step"] for entry in history]
        q = positive(np.array([entry["extrapolation_mse"] for entry in history]))
        axes.plot(steps, q[:, 2], color=color, label=label)
        axes.fill_between(steps, q[:, 1], q[:, 3], color=color, alpha=0.2, linewidth=0)
    axes.set(yscale="log", xlabel="step", ylabel="MSE on the test set (median, middle half of seeds)")
    axes.legend(frameon=False)
    return figure


def rates(results: Results, labels: list[str] | None = None) -> Figure:
    """Draw the share of seeds that solve each run, with its interval."""
    chosen = labels or list(results)
    figure = Figure(figsize=(8, 0.5 + 0.4 * len(chosen)), layout="constrained")
    axes = figure.subplots()
    for row, label in enumerate(reversed(chosen)):
        rate = results[label].rate
        low, high = rate.interval
        axes.plot([low, high], [row, row], color=COLORS[0], linewidth=3, alpha=0.4)
        axes.plot(rate.value, row, "o", color=COLORS[0])
    axes.set(yticks=range(len(chosen)), yticklabels=list(reversed(chosen)), xlim=(-0.02, 1.02), xlabel="success rate")
    axes.grid(axis="x", alpha=0.3)
    return figure


def trajectory(population: Population, steps: int) -> Tensor:
    """Return the parameters of every member after 0, 1, ..., `steps` steps, `(steps + 1, parameters, members)`."""
    columns = population.all_columns
    dtype = population.record.parameters.dtype
    state = {name: value.to(dtype) for name, value in population.dynamics.initial(columns).items()}
    path = [state["parameters"]]
    for step in range(steps):
        state = population.dynamics.run(state, columns, step, 1, compile=False)
        path.append(state["parameters"])
    return torch.stack(path)


def seeds(population: Population, holds: Tensor) -> str:
    """Return how many members have a property, as `n of m`."""
    return f"{int(holds.sum())} of {len(population)}"
