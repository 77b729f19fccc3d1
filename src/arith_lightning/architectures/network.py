"""Any network of torch's: an `nn.Module` of one's own, trained as every other architecture here.

    Network(nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)), learning_rate=0.01)

A member of seed `s` starts as the module does after `torch.manual_seed(s)`.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures.activations import Head
from arith_lightning.architectures.mlp import DenseModule
from arith_lightning.architectures.own import built, examine, redrawn, seeded, tiny
from arith_lightning.streams import Stream


class Network(DenseModule):
    """A network of your own, trained: any `torch.nn.Module` that maps `(n, in_features)` to `(n, out_features)`.

    Each member starts from its own seed: the network is built anew, or, where it is given as an object, its parts draw
    their parameters anew (`reset_parameters`), after `torch.manual_seed(seed)`. Bounds and penalties are those of its
    parts that have them, as this project's layers do: `bounds`, intervals by name of a parameter, and `penalty()`, a
    scalar. torch's own have none.

    Args:
        network: the module, or what builds it without an argument, such as its class.
        head: what is done to its outputs: nothing (`linear`), `relu`, `sigmoid`, or `softmax` over them.
        loss: `mse`; `cross_entropy` of the probabilities, which needs the sigmoid head; or `logits`, the cross-entropy
            of what the network returns before the sigmoid or softmax head.
        training: see `ArithmeticModule`.

    Raises:
        ValueError: it cannot be trained as one of many: it has no parameters, one that is not drawn from the seed, or a
            part with random or running state.
    """

    of_torch: ClassVar[bool] = True

    def __init__(
        self,
        network: Callable[[], nn.Module] | nn.Module,
        head: Head = "linear",
        loss: Literal["mse", "cross_entropy", "logits"] = "mse",
        **training: Any,
    ) -> None:
        with seeded(0):
            body: Any = network if isinstance(network, nn.Module) else built(network)
            examine(body)
            # what is handed to a builder is not built anew by it
            fresh = not isinstance(network, nn.Module) and not shared(built(network), body)
            if not fresh:
                redrawn(body)  # complains of what it cannot draw
        super().__init__(body, head, loss, **training)
        self.by_rows = not tiny(body)
        self.body, self.build = "network" if head == "linear" else "network.0", network if fresh else None

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Return the parameters as the module starts after `torch.manual_seed(seed)`, by full name.

        Raises:
            ValueError: a parameter is not drawn by any part of the network.
        """
        with seeded(int(stream.seed)):
            body: Any = redrawn(self.get_submodule(self.body)) if self.build is None else self.build()
        return {f"{self.body}.{name}": value.detach() for name, value in body.named_parameters()}

    def constants(self) -> dict[str, Tensor]:
        """Return the network's own buffers by full name, which are the same for every member."""
        own = self.get_submodule(self.body)
        return {f"{self.body}.{name}": value for name, value in own.named_buffers()}

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the interval each bounded parameter is projected into, by full name; mostly none."""
        return {
            f"{name}.{key}": interval
            for name, part in self.get_submodule(self.body).named_modules(prefix=self.body)
            if isinstance(getattr(part, "bounds", None), dict)
            for key, interval in part.bounds.items()  # type: ignore[union-attr, operator]
        }

    def penalty(self, step: Tensor, error: Tensor) -> Tensor:
        """Return the weighted penalty at `step` of the parts that have one; zero without any."""
        parts = self.get_submodule(self.body).modules()
        own: list[Any] = [part for part in parts if callable(getattr(part, "penalty", None))]
        penalties = [part.penalty() for part in own]
        if not penalties:
            return torch.zeros_like(error)
        return self.penalty_schedule(step).to(error.dtype) * torch.stack(penalties).sum()

    def gates(self, x: Tensor) -> Tensor | None:
        """Return None: the gates of one's own network are not known."""
        return None


def shared(one: nn.Module, other: nn.Module) -> bool:
    """Return whether two networks have a parameter in common: what is handed to a builder is not built anew by it."""
    return not {*map(id, one.parameters())}.isdisjoint(map(id, other.parameters()))
