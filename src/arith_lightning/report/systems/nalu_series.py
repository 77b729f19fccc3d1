"""A NALU on a series of integers: it multiplies from small weights; it rarely divides, where the data let it at all."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from arith_lightning.population import Population
from arith_lightning.report.pictures import errors, seeds
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained


def additive(trained: Trained) -> str:
    """Return how many seeds fail with the gate on the sum."""
    population = trained.population
    x, _ = population.data.evaluation_set("interpolation")
    gates = torch.stack([gate(population, k, x) for k in range(len(population))])
    return seeds(population, ~population.success & (gates > 0.5))


def gate(population: Population, index: int, x: Tensor) -> Tensor:
    """Return the median gate of a member on inputs `(2, n)`; 1 is the additive path."""
    gates = population.member(index).gates(x.mT)
    assert gates is not None
    return gates.median()


def products(results: Results) -> Figure:
    """Draw the errors of the runs that multiply."""
    return errors(results, [label for label in results if label.startswith("multiply")])


def quotients(results: Results) -> Figure:
    """Draw the errors of the runs that divide."""
    return errors(results, [label for label in results if label.startswith("divide")])


NALU_SERIES = load("nalu_series", figures=(products, quotients), of_run=(additive,))
