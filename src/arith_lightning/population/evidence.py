"""What a diagnosis looks at, taken from a population in training."""

import torch
from torch import Tensor
from torch.func import vmap

from arith_lightning.architectures import ArithmeticModule, LinearLayer
from arith_lightning.evaluation.diagnosis import Evidence
from arith_lightning.population.functional import Functional
from arith_lightning.population.population import Population

EXAMPLES = 256
"""Examples looked at."""


def evidence(population: Population, step: int) -> Evidence | None:
    """Return what a diagnosis looks at: live unsolved members on training examples of `step`; None without any."""
    unsolved = ~population.success[population.live.index]
    if not unsolved.any():
        return None
    looked_at = population.live.select(unsolved)
    columns, flat = looked_at.columns, looked_at.parameters
    now = torch.tensor(step, device=flat.device)
    x, y = population.dynamics.draw(columns, now, flat.dtype)
    gradient = population.dynamics.gradient(flat, columns, x, y, now)
    if population.dynamics.shared:
        x, y = (part.expand(len(columns.seed), *part.shape) for part in (x, y))
    x, y = x[..., :EXAMPLES], y[..., :EXAMPLES]

    def member(flat: Tensor, buffers: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        return Functional(population.module, outputs).at(population.dynamics.unflatten(flat) | buffers, x.mT)

    prediction, gates = vmap(member, in_dims=(-1, 0, 0), chunk_size=64)(flat, columns.module, x)
    first = next(iter(population.module.layers().values()), None)
    return Evidence(
        x,
        y,
        prediction.mT,
        gradient,
        gates=gates.flatten(1) if gates.numel() else None,
        affine=isinstance(first, LinearLayer),
        output_range=population.module.output_range,
    )


def outputs(module: ArithmeticModule, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return answers and gates of one member; without gates, an empty tensor."""
    gates = module.gates(x)
    return module(x), x.new_empty(0) if gates is None else gates
