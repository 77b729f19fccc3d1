"""Errors of every member on its evaluation sets; members with the same ranges are measured on one copy of them."""

from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.data.base import Split
from arith_lightning.evaluation import sparsity_error
from arith_lightning.evaluation.record import Measured
from arith_lightning.population.dynamics import Dynamics
from arith_lightning.population.functional import Functional, answers
from arith_lightning.population.members import Columns

EVALUATED_BYTES = 2**23
"""Members are evaluated as many at a time as their examples and activations fit in this, about a core's cache."""
SPLITS: tuple[Split, Split] = ("interpolation", "extrapolation")

Sets = tuple[tuple[Tensor, Tensor], ...]
"""Inputs and targets of both splits, examples last."""


class Measurement:
    """Measures the members of a population.

    Args:
        module: the architecture, in evaluation mode.
        data: the dataset.
        dynamics: the steps of the population, which know how parameters are laid out.
    """

    def __init__(self, module: ArithmeticModule, data: ArithmeticDataModule, dynamics: Dynamics) -> None:
        self.module, self.data, self.dynamics = module, data, dynamics
        self.weights = Functional(module, lambda module: module.weights())
        self.answers = Functional(module, answers)
        self.forward = Functional(module, lambda module, x: module(x))
        self.sets: dict[Any, Sets] = {}
        """Evaluation sets of the last measurement, by what they depend on."""

    @torch.no_grad()
    def __call__(self, parameters: Tensor, columns: Columns) -> Measured:
        """Return the errors of all members.

        Args:
            parameters: `(parameters, members)`.
            columns: what differs between the members.
        """
        known, self.sets = self.sets, {}
        found: dict[str, Tensor] = {}
        for members in alike(columns):
            data = {name: column[members[0]] for name, column in columns.data.items()}
            key = (parameters.dtype, parameters.device, self.data.evaluation_seed, *map(fingerprint, data.values()))
            self.sets[key] = known[key] if key in known else self.drawn(data, parameters)
            buffers = {name: column[members] for name, column in columns.module.items()}
            for name, values in self.errors(parameters[:, members], buffers, self.sets[key]).items():
                found.setdefault(name, values.new_empty(parameters.shape[-1]))[members] = values
        return Measured(**found)

    def drawn(self, columns: dict[str, Tensor], like: Tensor) -> Sets:
        """Draw both evaluation sets of members with these columns."""
        return tuple(self.data.evaluation_set(split, columns, like) for split in SPLITS)

    def errors(self, parameters: Tensor, buffers: dict[str, Tensor], sets: Sets) -> dict[str, Tensor]:
        """Return what is measured of members on the same sets."""

        def member(flat: Tensor, buffers: dict[str, Tensor]) -> dict[str, Tensor]:
            values = self.dynamics.unflatten(flat) | buffers
            errors = {}
            for split, (x, y) in zip(SPLITS, sets, strict=True):
                answer = self.data.original(self.answers.at(values, x))
                # summed in double precision and rounded once, so that the order of the sum, which follows the number
                # of members, leaves no trace
                errors[f"{split}_mse"] = (answer - y).square().mean(dtype=torch.float64).to(answer.dtype)
            errors["error"] = self.data.judge(answer, y).to(answer.dtype)
            errors["sparsity_error"] = sparsity_error(self.weights.at(values).values())
            return errors

        examples = max(x.shape[-1] for x, _ in sets)
        chunk = max(1, EVALUATED_BYTES * self.data.batch_size // (self.dynamics.bytes_per_member * examples))
        return vmap(member, in_dims=(-1, 0), chunk_size=chunk)(parameters, buffers)


def alike(columns: Columns) -> list[Tensor]:
    """Return groups of members whose data columns are equal, as tensors of indices."""
    if not columns.data:
        return [torch.arange(len(columns.seed), device=columns.seed.device)]
    rows = torch.cat([column.flatten(1).double() for column in columns.data.values()], dim=1)
    group = torch.unique(rows, dim=0, return_inverse=True)[1]
    return [(group == k).nonzero().squeeze(-1) for k in range(int(group.max()) + 1)]


def fingerprint(column: Tensor) -> bytes:
    """Return what tells a column's content from any other."""
    return column.cpu().numpy().tobytes()
