"""Interpolation over a badly scaled input: fourteen learning rates that fail, and what trains."""

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS
from arith_lightning.data.scaled_interpolation import KNOTS
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained


def swept(results: Results) -> dict[float, Trained]:
    """Return the runs on raw inputs by learning rate."""
    start = "raw, rate "
    return {float(label.removeprefix(start)): run for label, run in results.items() if label.startswith(start)}


def closest(results: Results) -> float:
    """Return the lowest error of any seed at any learning rate on raw inputs."""
    return min(trained.summary["error"]["best"] for trained in swept(results).values())


def curves(results: Results) -> Figure:
    """Draw the three outputs of the first seeds and the true curve."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    labels = ["raw, as posted", "scaled, rate 0.01", "scaled, found setting"]
    for axes, label in zip(figure.subplots(1, 3, sharey=True), labels, strict=True):
        population = results[label].population
        x, y = population.data.evaluation_set("extrapolation", like=population.record.parameters)
        plotted = torch.linspace(KNOTS[0], KNOTS[-1], x.shape[1] - len(KNOTS))
        prediction = population.predict(x.mT)[:3, : -len(KNOTS)]
        for output, color in enumerate(COLORS[:3]):
            axes.plot(plotted, y[output, : -len(KNOTS)], color="black", linewidth=2.5, alpha=0.35)
            axes.plot(plotted, prediction[..., output].T, color=color, linewidth=0.9)
        axes.set(title=label, xlabel="x")
    return figure


def sweep(results: Results) -> Figure:
    """Draw the largest error over the learning rate, on raw inputs."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    runs = swept(results)
    for key, style in (("median", "o-"), ("best", "v:"), ("worst", "^:")):
        axes.plot(list(runs), [run.summary["error"][key] for run in runs.values()], style, color=COLORS[0], label=key)
    axes.axhline(0.5, color="black", linestyle="--", linewidth=1, label="best constant")
    axes.set(xscale="log", xlabel="learning rate", ylabel="largest error of any output", ylim=(0, 1.1))
    axes.legend(frameon=False)
    return figure


INTERPOLATION = load("interpolation", figures=(curves, sweep), of_all=(closest,))
