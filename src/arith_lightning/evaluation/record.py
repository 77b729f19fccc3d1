"""Which step of a run is judged, and when the run counts as a success.

A run is judged at the evaluated step with the lowest interpolation error, so that the extrapolation set that is
reported has no say in the choice. Where the interpolation set holds the rows that are trained, a network that learns
them by heart and generalises later needs another choice, which a dataset may make: the last step, or the first one
that is a success, an optimistic choice, since it looks at the extrapolation set. A run is a success when its
extrapolation error at the judged step is below the dataset's threshold and it has not diverged. The solved-at step is
the first evaluated step whose extrapolation error is below the threshold.

Source: Madsen and Johansen, "Measuring Arithmetic Extrapolation Performance" (2019), section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from arith_lightning.data.base import JudgedStep

NEVER = -1
"""Step of a run that has not solved its task."""


class Measured(NamedTuple):
    """What one evaluation measures of runs, tensors `(runs,)`."""

    interpolation_mse: Tensor
    extrapolation_mse: Tensor
    error: Tensor
    """Error by which the dataset judges, on the extrapolation set."""
    sparsity_error: Tensor


@dataclass
class Record:
    """What is known of runs, tensors `(runs,)`; errors are those of the judged step, in float64."""

    interpolation_mse: Tensor
    extrapolation_mse: Tensor
    error: Tensor
    sparsity_error: Tensor
    best_step: Tensor
    """The judged step."""
    solved_at_step: Tensor
    diverged: Tensor
    parameters: Tensor
    """Parameters at the judged step, `(parameters, runs)`."""
    latest_interpolation_mse: Tensor
    """Errors of the last evaluation, as the two that follow."""
    latest_extrapolation_mse: Tensor
    latest_error: Tensor

    @classmethod
    def blank(cls, parameters: Tensor) -> "Record":
        """Return the record of runs that start from `parameters` and have not been evaluated."""
        count, device = parameters.shape[-1], parameters.device

        def full(value: float, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.full((count,), value, dtype=dtype, device=device)

        return cls(
            interpolation_mse=full(torch.inf),
            extrapolation_mse=full(torch.inf),
            error=full(torch.inf),
            sparsity_error=full(torch.nan),
            best_step=full(NEVER, torch.int64),
            solved_at_step=full(NEVER, torch.int64),
            diverged=full(False, torch.bool),
            parameters=parameters.clone(),
            latest_interpolation_mse=full(torch.nan),
            latest_extrapolation_mse=full(torch.nan),
            latest_error=full(torch.nan),
        )

    def updated(
        self, measured: Measured, parameters: Tensor, threshold: Tensor, step: int, judged: JudgedStep = "lowest"
    ) -> "Record":
        """Return the record after one evaluation.

        Args:
            measured: errors at `step`.
            parameters: the runs' parameters at `step`, `(parameters, runs)`.
            threshold: error below which a run is solved, `(runs,)`.
            step: the step evaluated.
            judged: which step is judged.
        """
        new = Measured(*(value.double() for value in measured))
        better = measured.interpolation_mse < self.interpolation_mse
        unsolved = self.solved_at_step == NEVER
        solved_now = (measured.error < threshold) & unsolved
        if judged == "last":
            better = measured.interpolation_mse.isfinite()
        elif judged == "first_success":
            better = solved_now | (better & unsolved)
        return Record(
            torch.where(better, new.interpolation_mse, self.interpolation_mse),
            torch.where(better, new.extrapolation_mse, self.extrapolation_mse),
            torch.where(better, new.error, self.error),
            torch.where(better, new.sparsity_error, self.sparsity_error),
            torch.where(better, step, self.best_step),
            torch.where(solved_now, step, self.solved_at_step),
            ~torch.isfinite(measured.interpolation_mse),
            torch.where(better, parameters, self.parameters),
            new.interpolation_mse,
            new.extrapolation_mse,
            new.error,
        )

    def success(self, threshold: Tensor) -> Tensor:
        """Return which runs count as a success; a diverged run does not, whatever came before."""
        return (self.error < threshold) & ~self.diverged

    @property
    def judged(self) -> Tensor:
        """Which runs have a judged step; one that diverged before its first evaluation has none."""
        return self.best_step != NEVER

    @property
    def measured(self) -> Tensor:
        """Which runs have been evaluated at all."""
        return self.judged | self.diverged

    def select(self, which: Tensor) -> "Record":
        """Return the record of some runs."""
        return self.apply(lambda value: value[..., which])

    def put(self, which: Tensor, part: "Record") -> None:
        """Enter what is now known of some runs."""
        for name, value in self.plain().items():
            value[..., which] = getattr(part, name).to(value.dtype)

    def apply(self, function: Callable[[Tensor], Tensor]) -> "Record":
        """Return it with every tensor changed, such as moved to a device."""
        return Record(**{name: function(value) for name, value in self.plain().items()})

    def plain(self) -> dict[str, Tensor]:
        """Return it as tensors by name, all that a checkpoint may hold."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
