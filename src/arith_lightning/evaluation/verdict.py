"""Which step of a run is judged, and when the run counts as a success.

A run is judged at the evaluated step with the lowest interpolation error, so that the extrapolation set that is
reported has no say in the choice. It is a success when its extrapolation error there is below the dataset's
threshold and it has not diverged. The solved-at step is the first evaluated step whose extrapolation error is below
the threshold.

Source: Madsen and Johansen, "Measuring Arithmetic Extrapolation Performance" (2019), section 3.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

NEVER = -1
"""Step of a run that has not solved its task."""


def blank(count: int, like: Tensor) -> dict[str, Tensor]:
    """Return the record of `count` runs that have not been evaluated, tensors `(count,)` on the device of `like`."""
    infinite = torch.full((count,), torch.inf, dtype=torch.float64, device=like.device)
    never = torch.full((count,), NEVER, dtype=torch.int64, device=like.device)
    return {
        "interpolation_mse": infinite,
        "extrapolation_mse": infinite.clone(),
        "error": infinite.clone(),
        "best_step": never,
        "solved_at_step": never.clone(),
        "diverged": torch.zeros(count, dtype=torch.bool, device=like.device),
    }


def update(
    record: Mapping[str, Tensor], measured: Mapping[str, Tensor], threshold: Tensor, step: int
) -> tuple[dict[str, Tensor], Tensor]:
    """Return the record after one evaluation, and a mask of the runs for which this step is now the judged one.

    Args:
        record: what is known so far, tensors `(runs,)`.
        measured: `interpolation_mse`, `extrapolation_mse` and `error` at `step`, tensors `(runs,)`.
        threshold: error below which a run is solved, `(runs,)`.
        step: the step evaluated.
    """
    better = measured["interpolation_mse"] < record["interpolation_mse"]
    new = {
        name: torch.where(better, measured[name].double(), record[name])
        for name in ("interpolation_mse", "extrapolation_mse", "error")
    }
    solved_now = (measured["error"] < threshold) & (record["solved_at_step"] == NEVER)
    new["best_step"] = torch.where(better, step, record["best_step"])
    new["solved_at_step"] = torch.where(solved_now, step, record["solved_at_step"])
    new["diverged"] = ~torch.isfinite(measured["interpolation_mse"])
    return new, better


def success(record: Mapping[str, Tensor], threshold: Tensor) -> Tensor:
    """Return which runs count as a success; a diverged run does not, whatever came before."""
    return (record["error"] < threshold) & ~record["diverged"]


def measured(record: Mapping[str, Tensor]) -> Tensor:
    """Return which runs have been evaluated at all."""
    return (record["best_step"] != NEVER) | record["diverged"]
