"""A small dense network on integer pairs: why its loss stays at 7e9, and the smallest one that multiplies."""

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS
from arith_lightning.report.pictures import rates, seeds
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained


def members_dead(trained: Trained) -> torch.Tensor:
    """Return which members answer 0 whatever the input, `(members,)`."""
    x, _ = trained.population.data.evaluation_set("interpolation", like=trained.population.record.parameters)
    return (trained.population.predict(x.mT) == 0).all(-1).all(-1)


def dead(trained: Trained) -> str:
    """Return how many members are dead."""
    return seeds(trained.population, members_dead(trained))


def others(trained: Trained) -> float:
    """Return the median RMSE of the members that are not dead, nan if all are."""
    return trained.population.record.extrapolation_mse[~members_dead(trained)].sqrt().median().item()


def mean_square(trained: Trained) -> float:
    """Return the mean square of the targets: the error of answering 0."""
    _, y = trained.population.data.evaluation_set("interpolation")
    return y.square().mean().item()


def answers(results: Results) -> Figure:
    """Draw predicted against actual products of three seeds as posted and of one with squares."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    labels = ["a * b, as posted", "a * b, eight squares"]
    for axes, label in zip(figure.subplots(1, 2), labels, strict=True):
        population = results[label].population
        x, y = population.data.evaluation_set("extrapolation", like=population.record.parameters)
        x, y = x[:, ::37], y[0, ::37]
        for color, row in zip(COLORS, population.predict(x.mT)[:4, :, 0], strict=False):
            axes.plot(y, row, ".", color=color, markersize=2)
        axes.plot([0, y.max()], [0, y.max()], "k:", linewidth=1)
        axes.set(title=f"{label}: first four seeds", xlabel="actual (as scaled)", ylabel="predicted")
    return figure


INTEGER_PAIRS = load("integer_pairs", figures=(answers, rates), of_run=(dead, others, mean_square))
