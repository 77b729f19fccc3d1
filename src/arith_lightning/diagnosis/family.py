"""What an architecture does whatever its weights, told by fresh networks."""

import math

import torch
from torch import Tensor, nn
from torch.func import vmap

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.architectures.mlp import DenseModule
from arith_lightning.diagnosis.evidence import Family
from arith_lightning.population import Population
from arith_lightning.population.functional import Functional
from arith_lightning.population.members import Columns

FRESH = 8
"""Fresh networks that are asked."""
PROBES = 384
"""What they are asked."""


def family(population: Population) -> Family:
    """Return what fresh networks do on inputs of both signs; nothing but its head is known of one that answers none."""
    module, columns = population.module, population.all_columns
    signless = any(layer.signless for layer in module.layers().values())
    low, high = module.output_range
    first = columns.select(torch.zeros(FRESH, dtype=torch.long))
    seeds = torch.arange(FRESH, dtype=torch.int32)
    flat = population.dynamics.initial(Columns(seeds, first.module, first.data))["parameters"].double()
    generator = torch.Generator().manual_seed(0)
    # a bias that starts at zero need not stay there
    flat = (
        flat + 0.1 * (flat.square().mean().sqrt().item() or 1) * torch.randn(flat.shape, generator=generator).double()
    )
    size = population.examples(0, "interpolation")[0].abs().max().item()
    shape = (PROBES, population.data.in_features)
    probes = 2 * size * (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1)
    last = head(module)
    body = Functional(module, lambda module, x: module.network[0](x) if last is not None else module(x))

    def member(flat: Tensor, buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        return body.at(population.dynamics.unflatten(flat) | buffers, x)

    def at(x: Tensor) -> Tensor:
        return vmap(member, in_dims=(-1, 0, None))(flat, first.module, x)

    try:
        there, mirrored, half = at(probes), at(-probes), at((probes + probes.roll(1, 0)) / 2)
    except (RuntimeError, IndexError, ValueError):  # a network of one's own may take some numbers only
        return Family(signless=signless, low=low, high=high)
    spread = (there.amax(1) - there.amin(1)).amin(0).amin()
    if not there.isfinite().all() or spread <= 0:
        return Family(signless=signless, low=low, high=high)

    def none(difference: Tensor) -> bool:
        return bool(difference.abs().max() <= 1e-6 * there.abs().max())

    symmetry = -1 if none(there + mirrored) else 1 if none(there - mirrored) else 0
    if last is None and low == -math.inf:
        low, high = (0.0 if there.min() >= 0 else low), (0.0 if there.max() <= 0 else high)
    return Family(none(there + there.roll(1, 1) - 2 * half), symmetry, signless, low, high)


def head(module: ArithmeticModule) -> nn.Module | None:
    """Return the last function of a dense network, where it has one."""
    bounded = isinstance(module, DenseModule) and math.isfinite(module.output_range[0])
    return module.network[-1] if bounded else None  # type: ignore[index, no-any-return]
