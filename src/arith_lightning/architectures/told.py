"""What can be read of a network: its layers, their weights and gates, its equations."""

from collections.abc import Sequence

from torch import Tensor, nn

from arith_lightning.architectures.equations import equations
from arith_lightning.architectures.layer import ArithmeticLayer


class Told(nn.Module):
    """A module whose `network` can be read."""

    network: nn.Module

    def layers(self) -> dict[str, ArithmeticLayer]:
        """Return the layers by their name inside this module, in the order of computation."""
        return {name: layer for name, layer in self.named_modules() if isinstance(layer, ArithmeticLayer)}

    def weights(self) -> dict[str, Tensor]:
        """Return the weights that act on inputs, by full name; empty where a network has no such reading."""
        return {f"{name}.{key}": w for name, layer in self.layers().items() for key, w in layer.weights().items()}

    def gates(self, x: Tensor) -> Tensor | None:
        """Return the gates of the first layer `(..., n)` on its inputs; None where it has none."""
        return next(iter(self.layers().values())).gates(x)

    def constants(self) -> dict[str, Tensor]:
        """Return the buffers that no member has values of its own of, by full name; none here."""
        return {}

    def formula(self, names: Sequence[str], outputs: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return what it computes, an equation for each number; none where a part has no such reading.

        Args:
            names: what its inputs are called.
            outputs: what its outputs are called.
            x: examples `(n, in_features)`, by which gates that depend on them are judged.
        """
        return equations(self.network, names, outputs, x)
