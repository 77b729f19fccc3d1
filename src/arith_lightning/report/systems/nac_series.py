"""A NAC on a series of integers: it adds, it subtracts where the data let it, it does not multiply."""

import torch

from arith_lightning.report.pictures import errors
from arith_lightning.report.system import load
from arith_lightning.trained import Trained


def w1(trained: Trained) -> float:
    """Return the first weight of the first seed."""
    return weight(trained, 0)


def w2(trained: Trained) -> float:
    """Return the second weight of the first seed."""
    return weight(trained, 1)


def weight(trained: Trained, index: int) -> float:
    """Return a weight of the first seed."""
    return trained.population.member(0).weights()["network.weight"].flatten()[index].item()


def steepness(trained: Trained) -> float:
    """Return the larger principal curvature of the loss over the smaller one."""
    x, _ = trained.population.data.evaluation_set("interpolation")
    small, large = torch.linalg.eigvalsh(2 * x.double() @ x.double().T / x.shape[1])
    return (large / small).item()


NAC_SERIES = load("nac_series", figures=(errors,), of_run=(w1, w2, steepness))
