"""What errors are worth: beside the error of a constant answer, as a share of it, as accuracy."""

from typing import Any

import torch
from torch import Tensor

from arith_lightning.population import Population


def constant(population: Population, member: int) -> dict[str, Any]:
    """Return the errors of answering the same to every example of a member's sets: the mean, or the majority.

    Args:
        population: whose dataset is asked.
        member: a member.

    Returns:
        `answer`, what is answered, in words; `extrapolation_mse` and `interpolation_mse`, the variances of the targets,
        averaged over outputs; `error`, what the dataset's own criterion makes of it.
    """
    (_, seen), (_, asked) = (population.examples(member, split) for split in ("interpolation", "extrapolation"))
    answer, prediction = population.data.baseline(asked)
    return {
        "answer": answer,
        "extrapolation_mse": variance(asked),
        "interpolation_mse": variance(seen),
        "error": population.data.judge(prediction, asked).item(),
    }


def variance(y: Tensor) -> float:
    """Return the variance of targets `(out_features, rows)`, averaged over outputs."""
    return y.double().var(-1, correction=0).mean().item()


def worth(population: Population) -> tuple[str, Tensor]:
    """Return what says of every member how good it is without a unit: `accuracy` or `r2`, and the values `(members,)`.

    R^2 is 1 - MSE / variance of the targets on each member's extrapolation set, of all outputs together, unless it is
    what the dataset judges by; 1 is exact, 0 as good as the mean, and below 0 worse.
    """
    record, criterion = population.record, population.data.criterion
    if criterion.share or criterion.unexplained:
        return "accuracy" if criterion.share else "r2", 1 - record.error
    seeds, groups = len(population.seeds), len(population.settings)
    count = groups if population.all_columns.data else 1
    variances = [variance(population.examples(k * seeds, "extrapolation")[1]) for k in range(count)]
    each = torch.tensor(variances * (groups // count), dtype=torch.float64).repeat_interleave(seeds)
    return "r2", 1 - record.extrapolation_mse / each.to(record.error)
