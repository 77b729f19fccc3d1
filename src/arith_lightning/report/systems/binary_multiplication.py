"""Binary multiplication: twenty layers at a huge rate, a network that trains, and one learned cell."""

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS
from arith_lightning.data import BinaryMultiplication
from arith_lightning.data.binary_multiplication import bit_accuracy
from arith_lightning.evaluation import Rate
from arith_lightning.population import Population
from arith_lightning.report.pictures import seeds
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained

CONSTANT = 1e-3
"""Range of an output over all tested inputs below which it is called constant."""
ROWS = 4000


def answers(population: Population) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions `(members, bits, n)` and targets `(bits, n)` on some held-out pairs."""
    x, y = population.data.evaluation_set("extrapolation", like=population.record.parameters)
    some = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(0))[:ROWS]
    return population.predict(x[:, some].mT).mT, y[:, some]


def constant(trained: Trained) -> str:
    """Return how many seeds answer the same whatever the input."""
    prediction, _ = answers(trained.population)
    return seeds(trained.population, (prediction.amax(-1) - prediction.amin(-1)).amax(-1) < CONSTANT)


def accuracy(trained: Trained) -> float:
    """Return the share of bits that the median seed has right."""
    return bit_accuracy(*answers(trained.population)).mean(1).median().item()


def residual(results: Results) -> list[Trained]:
    """Return the residual network's runs: it takes 100 s a seed, so its eight seeds are four commands."""
    return [trained for label, trained in results.items() if label.startswith("residual network")]


def residual_rate(results: Results) -> Rate:
    """Return the share of all its seeds that solve it."""
    rates = [part.rate for part in residual(results)]
    return Rate(sum(rate.successes for rate in rates), sum(rate.n for rate in rates))


def residual_lowest(results: Results) -> float:
    """Return the share of exact products of its worst seed."""
    return 1 - max(part.population.record.error.max().item() for part in residual(results))


def residual_highest(results: Results) -> float:
    """Return the share of exact products of its best seed."""
    return 1 - min(part.population.record.error.min().item() for part in residual(results))


def bits(results: Results) -> Figure:
    """Draw the accuracy of each bit of the product: median and range over seeds, and the majority's."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    labels = ["as posted", "both operands shown", "residual network, seeds 0 and 1", "bit-serial cell, asked 8 bits"]
    for color, label in zip(COLORS, labels, strict=False):
        accuracy = bit_accuracy(*answers(results[label].population))
        places = range(accuracy.shape[1])
        axes.plot(places, accuracy.median(0).values, "o-", color=color, label=label)
        axes.fill_between(places, accuracy.amin(0), accuracy.amax(0), color=color, alpha=0.15, linewidth=0)
    _, y = BinaryMultiplication().evaluation_set("extrapolation")
    ones = y.mean(1)
    axes.plot(range(len(ones)), torch.maximum(ones, 1 - ones), "k:", label="majority of each bit")
    axes.set(xlabel="bit of the product, most significant first", ylabel="share right on held-out pairs")
    axes.legend(frameon=False)
    return figure


BINARY_MULTIPLICATION = load(
    "binary_multiplication",
    figures=(bits,),
    of_run=(constant, accuracy),
    of_all=(residual_rate, residual_lowest, residual_highest),
)
