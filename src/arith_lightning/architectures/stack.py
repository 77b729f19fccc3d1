"""A stack of arithmetic layers: z = f_n(... f_2(f_1(x))), for instance an addition unit, then a multiplication unit.

The first layer chooses and adds inputs, the second combines the few sums. Penalties of all layers are added up.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.1.
"""

import inspect
from itertools import pairwise
from typing import Any

from torch import nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.complaint import require

SIZES = ["in_features", "out_features"]


class Stack(ArithmeticModule):
    """Layers one after the other, each with its published start, trained.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        layers: the layers in order of computation, by the names of their classes without the ending: NAU, NMU, Linear.
        hidden_features: numbers that one layer hands to the next.
        training: see `ArithmeticModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        layers: list[str] = ["NAU", "NMU"],
        hidden_features: int = 2,
        **training: Any,
    ) -> None:
        known = stackable()
        require(
            bool(layers) and all(name in known for name in layers),
            f"layers must be a list of {', '.join(sorted(known))}",
            layers,
            "try [NAU, NMU]",
        )
        sizes = [in_features, *[hidden_features] * (len(layers) - 1), out_features]
        built = [known[name](*size) for name, size in zip(layers, pairwise(sizes), strict=True)]
        super().__init__(nn.Sequential(*built), **training)


def stackable() -> dict[str, type[ArithmeticLayer]]:
    """Return the exported layers that need their two sizes only, by name without the ending `Layer`."""
    from arith_lightning import architectures  # only now: it exports this module too

    kinds = [getattr(architectures, name) for name in architectures.__all__ if name.endswith("Layer")]
    return {
        kind.__name__.removesuffix("Layer"): kind
        for kind in kinds
        if kind is not ArithmeticLayer
        and [p.name for p in inspect.signature(kind).parameters.values() if p.default is p.empty] == SIZES
    }
