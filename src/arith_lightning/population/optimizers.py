"""Optimizers on one flat `(parameters, members)` buffer with a learning rate for each member.

Members lie along the last, contiguous axis, where a handful of parameters still fills the vector units.

`torch.optim` holds one learning rate a parameter group and costs milliseconds with a group per member; these few tensor
operations take the same steps, in the same order, to rounding.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

HYPERPARAMETERS = ("learning_rate", "weight_decay", "momentum", "smoothing")
Hyper = Mapping[str, Tensor]
"""These hyperparameters, `(members,)` each; every rule takes its own."""
State = dict[str, Tensor]
"""`parameters` and the optimizer's own buffers, all `(parameters, members)`."""

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""torch's defaults: Adam's two decay rates, and the term added to denominators."""


def adam_corrections(step: int, count: int) -> Tensor:
    """Return Adam's two bias corrections of `count` steps from `step` on, `(count, 2)` in float64.

    They are computed once, outside the compiled steps, where a power of a scalar would be taken for every member.
    """
    t = torch.arange(step + 1, step + count + 1, dtype=torch.float64)
    return torch.stack([1 - BETA1**t, (1 - BETA2**t).sqrt()], dim=1)


def adam(state: State, gradient: Tensor, corrections: Tensor, hyper: Hyper) -> State:
    """Adam with L2 weight decay (Kingma and Ba 2015)."""
    gradient = gradient + hyper["weight_decay"] * state["parameters"]
    first = state["first"] + (gradient - state["first"]) * (1 - BETA1)
    second = state["second"] * BETA2 + gradient * gradient * (1 - BETA2)
    denominator = second.sqrt() / corrections[1] + EPSILON
    parameters = state["parameters"] - hyper["learning_rate"] / corrections[0] * (first / denominator)
    return {"parameters": parameters, "first": first, "second": second}


def adamw(state: State, gradient: Tensor, corrections: Tensor, hyper: Hyper) -> State:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    shrunk = state | {"parameters": state["parameters"] * (1 - hyper["learning_rate"] * hyper["weight_decay"])}
    return adam(shrunk, gradient, corrections, {**hyper, "weight_decay": torch.zeros_like(hyper["weight_decay"])})


def sgd(state: State, gradient: Tensor, corrections: Tensor, hyper: Hyper) -> State:
    """Gradient descent with momentum and L2 weight decay."""
    first = hyper["momentum"] * state["first"] + gradient + hyper["weight_decay"] * state["parameters"]
    return {"parameters": state["parameters"] - hyper["learning_rate"] * first, "first": first}


def sign_sgd(state: State, gradient: Tensor, corrections: Tensor, hyper: Hyper) -> State:
    """Descent by the gradient's signs with decoupled weight decay (Kou et al. 2024, arXiv 2404.12376)."""
    shrunk = state["parameters"] * (1 - hyper["learning_rate"] * hyper["weight_decay"])
    return {"parameters": shrunk - hyper["learning_rate"] * gradient.sign()}


def rmsprop(state: State, gradient: Tensor, corrections: Tensor, hyper: Hyper) -> State:
    """RMSprop with L2 weight decay (Tieleman and Hinton 2012)."""
    gradient = gradient + hyper["weight_decay"] * state["parameters"]
    second = state["second"] * hyper["smoothing"] + gradient * gradient * (1 - hyper["smoothing"])
    parameters = state["parameters"] - hyper["learning_rate"] * (gradient / (second.sqrt() + EPSILON))
    return {"parameters": parameters, "second": second}


UPDATES: dict[str, tuple[Callable[..., State], tuple[str, ...]]] = {
    "adam": (adam, ("first", "second")),
    "adamw": (adamw, ("first", "second")),
    "sgd": (sgd, ("first",)),
    "sign_sgd": (sign_sgd, ()),
    "rmsprop": (rmsprop, ("second",)),
}
"""Update rule, given one row of `adam_corrections`, and the buffers it keeps."""


def clip(gradient: Tensor, norm: float | None, value: float | None) -> Tensor:
    """Clip each member's gradient `(parameters, members)` by its own norm, then entry by entry."""
    if norm is not None:
        length = gradient.square().sum(0).sqrt()
        gradient = gradient * (norm / (length + 1e-6)).clamp(max=1)
    if value is not None:
        gradient = gradient.clamp(-value, value)
    return gradient
