"""How a layer declares itself: start, bounds, penalty, weights and gates.

A layer is an ordinary `nn.Module` written for one model; a population maps the same code over members with
`torch.func`. So a layer may not branch on tensor values, call `.item()`, log, keep activations, or draw from global
random state.
"""

import inspect
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from arith_lightning.complaint import require
from arith_lightning.streams import Purpose, Stream

UNLIMITED = ("restart_after",)
"""Scalars that may be infinite: what never happens."""


class Drawn(type):
    """Kind of classes whose objects draw their parameters when the last constructor has returned, not before."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Build an object, then draw its parameters."""
        built = super().__call__(*args, **kwargs)
        built.reset_parameters()
        return built

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's, as if nothing followed it."""
        own = inspect.signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=[*own.parameters.values()][1:])


class ArithmeticLayer(nn.Module, metaclass=Drawn):
    """A layer `(..., in_features) -> (..., out_features)` that knows its start, its bounds and its penalty.

    A hyperparameter that may differ between members of a population is a scalar buffer (`register`); one that changes
    a shape or the code path is a plain attribute.
    """

    bounds: ClassVar[dict[str, tuple[float, float]]] = {}
    """Parameter name -> closed interval that the parameter is projected into after every step."""
    signless: ClassVar[bool] = False
    """Whether it multiplies through logarithms of magnitudes alone, which lose the sign."""

    def __init__(self, in_features: int, out_features: int, **scalars: float) -> None:
        super().__init__()
        require(
            in_features >= 1 and out_features >= 1,
            "a layer needs at least one input and one output",
            f"{in_features=}, {out_features=}",
            "set both to 1 or more",
        )
        self.in_features, self.out_features = in_features, out_features
        register(self, **scalars)

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Return freshly drawn parameters by name, a pure function of the stream and the layer's buffers."""
        raise NotImplementedError

    def penalty(self) -> Tensor:
        """Return the layer's sparsity penalty, a scalar that is zero at the solutions the paper wants; none here."""
        return torch.zeros(())

    def weights(self) -> dict[str, Tensor]:
        """Return the weights that act on the inputs, by name, each `(out_features, in_features)`."""
        return {}

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return what it computes as a formula for each output, see `wording`; none where it has no such reading.

        Args:
            names: what its inputs are called.
            x: examples `(n, in_features)`, by which gates that depend on them are judged.
        """
        return []

    def gates(self, x: Tensor) -> Tensor | None:
        """Return what decides between ways of computing, values in [0, 1] with examples first; None without gates."""
        return None

    def reset_parameters(self, stream: Stream | None = None) -> None:
        """Draw the parameters anew; without a stream, from a seed that torch's own generator supplies."""
        if stream is None:
            stream = Stream(torch.randint(2**31 - 1, ()), Purpose.INITIALIZATION)
        load(self, self.initial(stream))

    def extra_repr(self) -> str:
        """Show the sizes, as torch's own layers do."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


def register(module: nn.Module, **scalars: float) -> None:
    """Give a module hyperparameters that may differ between members: scalar buffers in float64.

    Raises:
        ValueError: one is not finite (`restart_after` may be), or the scale of a start and negative.
    """
    for name, value in scalars.items():
        finite = name in UNLIMITED or abs(value) <= sys.float_info.max
        require(finite and value == value, f"{name} must be finite", value, "try 1.0")
        require(value >= 0 or not name.endswith("_scale"), f"{name} must not be negative", value, "try 1.0")
        module.register_buffer(name, torch.tensor(value, dtype=torch.float64))


def load(module: nn.Module, values: dict[str, Tensor]) -> None:
    """Copy `values` into the parameters and buffers of the same names."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.no_grad():
        for name, value in values.items():
            tensors[name].copy_(value)
