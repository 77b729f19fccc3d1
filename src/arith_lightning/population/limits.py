"""What a population may hold: seeds that streams can tell apart, members that fit into memory, examples of a shape."""

from collections import Counter
from collections.abc import Sequence
from numbers import Integral

import psutil
import torch

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.complaint import require, short
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.settings import tensors
from arith_lightning.streams import SEEDS

COPIES = 4
"""Parameters of a member in float32: in training, two moments of the optimizer, and at the judged step."""
RECORD = 200
"""Bytes of what else is known of a member: seed, errors, steps."""


def examine(module: ArithmeticModule, data: ArithmeticDataModule, seeds: Sequence[int], settings: int) -> None:
    """Refuse seeds that are none, members that need more memory than there is, and examples of a wrong shape.

    Args:
        module: the architecture.
        data: the dataset.
        seeds: seeds of each setting.
        settings: number of settings.

    Raises:
        ValueError: with the first seed that is wrong, the memory that is needed, or the shapes that are drawn.
    """
    several = isinstance(seeds, Sequence) and not isinstance(seeds, str)
    require(several, "seeds must be a list of whole numbers or a range", repr(seeds), "write range(64)")
    require(len(seeds) > 0, "a population needs a seed", len(seeds), "try 64")
    broken = [] if isinstance(seeds, range) else [seed for seed in seeds if not isinstance(seed, Integral)]
    require(not broken, "seeds must be whole numbers", repr(broken[:1]), "write range(64)")
    ends = (seeds[0], seeds[-1]) if isinstance(seeds, range) else (min(seeds), max(seeds))
    wrong = [seed for seed in ends if seed not in SEEDS]
    require(not wrong, "seeds must lie in [0, 2^31)", wrong, "try 0 or 64")
    twice = [] if isinstance(seeds, range) else [seed for seed, times in Counter(seeds).items() if times > 1]
    require(not twice, "seeds must differ from each other, or rates count some twice", short(twice), "drop them")
    members, free = len(seeds) * settings, psutil.virtual_memory().available
    need = members * footprint(module, data)
    require(
        need < free,
        "networks must fit into memory",
        f"{members:,} of them, which take about {need / 1e9:,.0f} GB",
        f"{free / 1e9:,.0f} GB are free; train fewer at a time",
    )
    shapes(data)


def shapes(data: ArithmeticDataModule) -> None:
    """Refuse a dataset whose batches do not have a column for each example: targets would be stretched over them."""
    x, y = (tuple(part.shape) for part in data.batch(0, torch.float64))
    fit = x == (data.in_features, *x[1:2]) and y == (data.out_features, *x[1:2]) and len(x) == 2
    rule = f"a batch must be inputs ({data.in_features}, examples) and targets ({data.out_features}, examples)"
    way_out = "return features first, y.reshape(1, -1) of one target"
    require(fit, rule, f"{x} and {y}", way_out)


def footprint(module: ArithmeticModule, data: ArithmeticDataModule) -> int:
    """Return the bytes that a population keeps of one member; evaluating it takes more."""
    columns = [*tensors(module).values(), *tensors(data).values()]
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return 4 * COPIES * parameters + 8 * sum(column.numel() for column in columns) + RECORD
