"""Optimizers of a model trained alone, by name; a population has the same rules in `population/optimizers.py`."""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor


class SignSGD(torch.optim.Optimizer):
    """Moves every parameter by the learning rate against the sign of its gradient, after decoupled weight decay.

    Source: Kou, Chen, Gu, Kakade, "Matching the statistical query lower bound for k-sparse parity problems with sign
    stochastic gradient descent" (2024).

    Args:
        params: the parameters.
        lr: size of the move.
        weight_decay: share of a parameter, times `lr`, that is taken away first.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take a step; return the loss where a closure computes it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(group["lr"] * parameter.grad.sign())
        return loss


Optimizer = Literal["adam", "adamw", "sgd", "sign_sgd", "rmsprop"]
OPTIMIZERS: dict[Optimizer, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "sign_sgd": SignSGD,
    "rmsprop": torch.optim.RMSprop,
}
