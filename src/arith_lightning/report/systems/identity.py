"""The identity of one number by autoencoders with every activation, inside and outside their training range."""

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS, GRAY
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained

EDGE, FAR, END = 5.0, 10.0, 20.0
FLOOR = 1e-7
"""Errors of rounding are drawn here."""


def absolute_errors(trained: Trained, x: torch.Tensor) -> torch.Tensor:
    """Return |error| of the median seed at each number `(n,)`."""
    x = x.to(trained.population.record.parameters)
    return (trained.population.predict(x.unsqueeze(1))[..., 0] - x).abs().median(0).values


def inside(trained: Trained) -> float:
    """Return the mean error of the median seed on the numbers of training."""
    return absolute_errors(trained, torch.linspace(-EDGE, EDGE, 501)).mean().item()


def outside(trained: Trained) -> float:
    """Return the mean error of the median seed beyond `FAR`."""
    x = torch.cat([torch.linspace(-END, -FAR, 100), torch.linspace(FAR, END, 100)])
    return absolute_errors(trained, x).mean().item()


def curves(results: Results) -> Figure:
    """Draw |error| of the median seed over [-20, 20] for every unit."""
    figure = Figure(figsize=(8.5, 5), layout="constrained")
    axes = figure.subplots()
    x = torch.linspace(-END, END, 801)
    for index, (label, trained) in enumerate(results.items()):
        style = ("-", "--", ":")[index // len(COLORS) % 3]
        axes.plot(
            x, absolute_errors(trained, x).clamp(min=FLOOR), style, color=COLORS[index % len(COLORS)], label=label
        )
    axes.axvspan(-EDGE, EDGE, color=GRAY, alpha=0.2)
    axes.set(yscale="log", xlabel="x (gray: trained)", ylabel="|error| of the median seed", ylim=(FLOOR / 2, 1e2))
    figure.legend(frameon=False, loc="outside right center")
    return figure


IDENTITY = load("identity", figures=(curves,), of_run=(inside, outside))
