"""Parity of integers by sin(w x)^2, of n bits, and of sequences."""

import math

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS
from arith_lightning.report.pictures import rates, trajectory
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained

GRID = 1500


def w(trained: Trained) -> float:
    """Return the weight of the first member."""
    return trained.population.record.parameters[0, 0].item()


def answers(trained: Trained, end: int = GRID) -> torch.Tensor:
    """Return whether each integer below `end` is answered right by each member, `(members, end)`."""
    x = torch.arange(end, dtype=torch.float64)
    z = trained.population.predict(x.to(trained.population.record.parameters.dtype).unsqueeze(1))[..., 0]
    return (z > 0.5) == (x % 2 == 1)


def first_wrong(trained: Trained) -> int:
    """Return the first integer that the first member answers wrong."""
    wrong = (~answers(trained, 100_000)[0]).nonzero()
    return int(wrong[0]) if len(wrong) else 100_000


def typical(trained: Trained) -> int:
    """Return the member whose error is the median."""
    return int(trained.population.record.error.argsort()[len(trained.population) // 2])


def weights(results: Results) -> Figure:
    """Draw the weight of sixteen members over steps."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    labels = ["as posted", "all integers, weighted by x^-2"]
    for axes, label in zip(figure.subplots(1, 2, sharey=True), labels, strict=True):
        population = results[label].population
        path = trajectory(population, results[label].experiment.max_steps)[:, 0, :16]
        axes.plot(path, color=COLORS[0], linewidth=0.8, alpha=0.7)
        for k in (1, 3):
            axes.axhline(k * math.pi / 2, color="black", linestyle=":", linewidth=1)
        axes.set(title=label, xlabel="step", ylabel="w (dotted: pi/2 and 3 pi/2)", ylim=(-0.3, 5.2))
    return figure


def grids(results: Results) -> Figure:
    """Draw which integers below 1,500 a typical seed answers right."""
    labels = ["as posted", "six points", "six points, rate 0.1", "all integers, weighted by x^-2"]
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, label in zip(figure.subplots(1, len(labels)), labels, strict=True):
        right = answers(results[label])[typical(results[label])]
        axes.imshow(right.view(-1, 50), cmap="cividis", vmin=0, vmax=1, aspect="auto", extent=(0, 50, GRID, 0))
        axes.set(title=f"{label}:\n{int(right.sum())} right", xlabel="x modulo 50")
        axes.title.set_fontsize(9)
    return figure


PARITY = load("parity", figures=(weights, grids, rates), of_run=(w, first_wrong))
