"""A network of one's own: how it is built and started, and what can be told of it before it has seen data."""

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.parameter import is_lazy

from arith_lightning.architectures.reduction import linear
from arith_lightning.complaint import require

TINY = 64
"""Parameters below which a network is stepped fastest example by example, where its parts are simple."""
SIMPLE = (nn.Sequential, nn.Linear, nn.Identity, nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus)
"""Parts that take a single example as they take many."""
RESETS = ("reset_parameters", "_reset_parameters")
"""What a part is asked to draw its own parameters by, the first that it has; torch's attention has the second."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw as after `torch.manual_seed(seed)`, and afterwards as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def built(build: Callable[[], Any]) -> nn.Module:
    """Build a network.

    Raises:
        ValueError: what is given builds none.
    """
    require(callable(build), "network must be a torch.nn.Module", type(build).__name__, "give one, or its class")
    if inspect.isclass(build):
        known, several = inspect.signature(build).parameters.values(), ("VAR_KEYWORD", "VAR_POSITIONAL")
        missing = [one.name for one in known if one.default is one.empty and one.kind.name not in several]
        way_out = f"give an object, such as {build.__name__}(2, 16), or functools.partial({build.__name__}, 2, 16)"
        require(not missing, "a class given as network must need no argument", ", ".join(missing), way_out)
    body = build()
    require(isinstance(body, nn.Module), "network must build a torch.nn.Module", type(body).__name__, "return one")
    return body


def inner_first(body: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts of a network, each after those inside it, in the order in which constructors finish."""
    for part in body.children():
        yield from inner_first(part)
    yield body


def redrawn(body: nn.Module) -> nn.Module:
    """Return a copy whose parts have drawn their parameters anew, inner parts first, as constructors do.

    Raises:
        ValueError: a parameter is not drawn by any of them.
    """
    body = copy.deepcopy(body)
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.fill_(torch.nan)
        for part in inner_first(body):
            reset = next((own for name in RESETS if callable(own := getattr(part, name, None))), None)
            if reset:
                reset()
    missing = [name for name, parameter in body.named_parameters() if parameter.isnan().any()]
    kind = type(body).__name__
    require(
        not missing,
        f"each parameter of {kind} must be drawn anew for each seed",
        f"{', '.join(missing)}, which no reset_parameters() draws",
        f"give what builds the network, such as Network(lambda: {kind}(...)), or a reset_parameters() to its part",
    )
    return body


def examine(body: nn.Module) -> None:
    """Refuse a network that cannot be trained as one of many, as far as that can be told without data.

    Raises:
        ValueError: with what is in the way, and how to go on.
    """
    kind, parameters = type(body).__name__, dict(body.named_parameters())
    require(bool(parameters), "a network must have parameters to train", kind, "add a layer such as torch.nn.Linear")
    lazy = [name for name, parameter in parameters.items() if is_lazy(parameter)]
    require(not lazy, "every layer must know its sizes", ", ".join(lazy), "give numbers, as in Linear(2, 16)")
    frozen = [name for name, parameter in parameters.items() if not parameter.requires_grad]
    require(not frozen, "each parameter must be trained", f"{', '.join(frozen)}, which is frozen", "make it a buffer")
    kinds = {str(parameter.dtype) for parameter in parameters.values()}
    real = len(kinds) == 1 and all(parameter.is_floating_point() for parameter in parameters.values())
    require(real, "parameters must be real numbers of one type", ", ".join(sorted(kinds)), "try body.float()")
    for name, part in body.named_modules():
        told = f"{name or kind}, a {type(part).__name__}"
        running = isinstance(part, _BatchNorm) or (isinstance(part, _NormBase) and part.track_running_stats)
        require(
            not running,
            "a network must not average over the examples of a step, or keep averages for the next one",
            told,
            "take torch.nn.LayerNorm, or InstanceNorm with track_running_stats=False",
        )
        rate = getattr(part, "p" if isinstance(part, nn.modules.dropout._DropoutNd) else "dropout", 0)
        require(
            not (isinstance(rate, float) and rate > 0),
            "a network must not drop units at random, whose numbers no seed decides",
            f"{told} with a rate of {rate}",
            "set the rate to 0, or take weight_decay",
        )


def tiny(body: nn.Module) -> bool:
    """Return whether a network is one of a few weights that takes a single example, too."""
    few = sum(parameter.numel() for parameter in body.parameters()) < TINY
    return few and all(type(part) in SIMPLE for part in body.modules())


class InnermostLinear(nn.Linear):
    """torch's affine layer, with the examples innermost in memory, where members are stepped several times faster."""

    def forward(self, x: Tensor) -> Tensor:
        """Return W x + b."""
        product = linear(self.weight, x)
        return product if self.bias is None else product + self.bias


def innermost(body: nn.Module) -> None:
    """Have every affine layer of torch's own in a network keep the examples innermost."""
    for part in body.modules():
        if type(part) is nn.Linear:
            part.__class__ = InnermostLinear
