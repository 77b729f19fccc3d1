"""Functions of one member's module, pure, so that they can be differentiated and mapped over members."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._python_dispatch import TorchDispatchMode

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule

MATRIX = 8
"""Rows and columns from which a parameter is a matrix that is worth multiplying with as one."""


class Functional(nn.Module):
    """A function of a module, to be called as if the module had other parameters and buffers.

    Args:
        module: the architecture.
        function: maps the module, then arguments, to anything.
    """

    def __init__(self, module: ArithmeticModule, function: Callable[..., Any]) -> None:
        super().__init__()
        self.module, self.function = module, function
        self.trained = [name for name, _ in module.named_parameters()]

    def forward(self, *arguments: Any) -> Any:
        """Return what the function makes of the module as it is."""
        return self.function(self.module, *arguments)

    def at(self, values: Mapping[str, Tensor], *arguments: Any) -> Any:
        """Return what the function makes of the module with these parameters and buffers by full name."""
        like = next((values[name] for name in self.trained if name in values), None)
        own = {name: value if like is None else placed(value, like) for name, value in self.module.constants().items()}
        return functional_call(self, {f"module.{name}": value for name, value in {**own, **values}.items()}, arguments)


def placed(value: Tensor, like: Tensor) -> Tensor:
    """Return a constant on the device of `like`, and in its type if it is a real number."""
    return value.to(like.device, like.dtype if value.is_floating_point() else value.dtype)


def answers(module: ArithmeticModule, x: Tensor) -> Tensor:
    """Return what one member makes of examples `(in_features, size)`, `(out_features, size)`.

    Dense networks take all examples at once, as products of matrices; others are mapped over them. Either way examples
    stay innermost in memory.
    """
    if module.by_rows or dense(module):
        return module(x.mT).mT
    return vmap(module.forward, in_dims=-1, out_dims=-1)(x)


def dense(module: nn.Module) -> bool:
    """Return whether a network is one of matrices, not of a few weights or of many weights in a row."""
    return any(min(parameter.shape[-2:]) >= MATRIX for parameter in module.parameters() if parameter.dim() > 1)


def objective(module: ArithmeticModule, x: Tensor, y: Tensor, step: Tensor) -> Tensor:
    """Return the loss of one member on examples `(in_features, size)` with targets `(out_features, size)`."""
    return module.loss(answers(module, x), x, y, step)


def learning_rate(module: ArithmeticModule, step: Tensor) -> Tensor:
    """Return the learning rate of one member at a step."""
    return module.learning_rate * module.learning_rate_factor(step)


class Written(TorchDispatchMode):
    """Counts the bytes of what operations return, without views."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the operation and count."""
        result = func(*args, **kwargs or {})
        if isinstance(result, Tensor) and not func.is_view:
            self.bytes += result.nbytes
        return result


@torch.no_grad()
def written(module: ArithmeticModule, data: ArithmeticDataModule) -> int:
    """Return the bytes that one member's way forward writes, and thrice those of its batch, which is read again."""
    x = torch.ones(data.batch_size, data.in_features, dtype=next(module.parameters()).dtype)
    with Written() as counted:
        module(x)
    return counted.bytes + 3 * x.nbytes
