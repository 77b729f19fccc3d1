"""One trained network as an ordinary module, which answers in the units of its data and can be exported."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.architectures.mlp import DenseModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population import asking


class Answerer(nn.Module):
    """Maps inputs `(n, inputs)` to answers `(n, outputs)`, both in the units of the data; in evaluation mode.

    It holds nothing of Lightning and of its run, so `torch.export`, `torch.jit.trace` and `torch.onnx.export` take it.

    Args:
        member: the trained network.
        data: what it was trained on, which encodes and scales.
    """

    def __init__(self, member: ArithmeticModule, data: ArithmeticDataModule) -> None:
        super().__init__()
        plain = type(member).forward in (ArithmeticModule.forward, DenseModule.forward)
        self.network: nn.Module = member.network if plain else member
        self.preparation = asking.preparation(data)
        self.inputs: Sequence[str] = asking.names(data)
        self.outputs: Sequence[str] = asking.outputs(data)
        self.item_features = data.item_features
        self.dtype = next(member.parameters()).dtype
        self.eval()
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Answer `(n, inputs)`; without the checks of `ask`."""
        if self.preparation is None:
            return self.network(x.to(self.dtype))
        prepared = self.preparation.inputs(x.mT.double()).mT
        return self.preparation.original(self.network(prepared.to(self.dtype)).mT).mT

    @torch.no_grad()
    def ask(self, x: Tensor) -> Tensor:
        """Answer `(n, inputs)`.

        Raises:
            ValueError: an example has not as many inputs as the data, or one that it cannot show to a network.
        """
        asking.examine(x, self.inputs, self.preparation, self.item_features)
        return self(x)

    def named(self, count: int) -> Sequence[str]:
        """Return what `count` inputs of an example are called; `inputs`, unless the network takes any length."""
        return asking.named(self.inputs, self.item_features, count)
