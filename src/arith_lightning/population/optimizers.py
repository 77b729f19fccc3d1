"""Adam, AdamW, SGD and RMSprop on one flat `(parameters, members)` buffer with a learning rate for each member.

Members lie along the last, contiguous axis, where a handful of parameters still fills the vector units.

`torch.optim` holds one learning rate a parameter group and costs milliseconds with a group per member; these few tensor
operations take the same steps, in the same order, to rounding.
"""

from collections.abc import Callable

import torch
from torch import Tensor

State = dict[str, Tensor]
"""`parameters` and the optimizer's own buffers, all `(parameters, members)`."""

BETA1, BETA2, ALPHA, EPSILON = 0.9, 0.999, 0.99, 1e-8
"""torch's defaults: Adam's two decay rates, RMSprop's, and the term added to denominators."""


def adam(state: State, gradient: Tensor, rate: Tensor, step: Tensor, decay: Tensor, momentum: Tensor) -> State:
    """Adam with L2 weight decay (Kingma and Ba 2015)."""
    gradient = gradient + decay * state["parameters"]
    first = state["first"] + (gradient - state["first"]) * (1 - BETA1)
    second = state["second"] * BETA2 + gradient * gradient * (1 - BETA2)
    t = step.double() + 1
    correction1, correction2 = 1 - BETA1**t, (1 - BETA2**t).sqrt()
    denominator = second.sqrt() / correction2.to(second.dtype) + EPSILON
    parameters = state["parameters"] - rate / correction1.to(rate.dtype) * (first / denominator)
    return {"parameters": parameters, "first": first, "second": second}


def adamw(state: State, gradient: Tensor, rate: Tensor, step: Tensor, decay: Tensor, momentum: Tensor) -> State:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    shrunk = state | {"parameters": state["parameters"] * (1 - rate * decay)}
    return adam(shrunk, gradient, rate, step, torch.zeros_like(decay), momentum)


def sgd(state: State, gradient: Tensor, rate: Tensor, step: Tensor, decay: Tensor, momentum: Tensor) -> State:
    """Gradient descent with momentum and L2 weight decay."""
    first = momentum * state["first"] + gradient + decay * state["parameters"]
    return {"parameters": state["parameters"] - rate * first, "first": first}


def rmsprop(state: State, gradient: Tensor, rate: Tensor, step: Tensor, decay: Tensor, momentum: Tensor) -> State:
    """RMSprop with L2 weight decay (Tieleman and Hinton 2012)."""
    gradient = gradient + decay * state["parameters"]
    second = state["second"] * ALPHA + gradient * gradient * (1 - ALPHA)
    parameters = state["parameters"] - rate * (gradient / (second.sqrt() + EPSILON))
    return {"parameters": parameters, "second": second}


UPDATES: dict[str, tuple[Callable[..., State], tuple[str, ...]]] = {
    "adam": (adam, ("first", "second")),
    "adamw": (adamw, ("first", "second")),
    "sgd": (sgd, ("first",)),
    "rmsprop": (rmsprop, ("second",)),
}
"""Update rule and the buffers it keeps; `rate`, `decay` and `momentum` are `(members,)`."""


def clip(gradient: Tensor, norm: float | None, value: float | None) -> Tensor:
    """Clip each member's gradient `(parameters, members)` by its own norm, then entry by entry."""
    if norm is not None:
        length = gradient.square().sum(0).sqrt()
        gradient = gradient * (norm / (length + 1e-6)).clamp(max=1)
    if value is not None:
        gradient = gradient.clamp(-value, value)
    return gradient
