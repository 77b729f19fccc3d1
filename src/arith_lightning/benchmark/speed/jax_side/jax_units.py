"""Units of two inputs in JAX, as a researcher writes them and laid out by hand; and what every model has.

`natural` puts examples first; `tuned` puts features first and examples last, and spells every input out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import random

Array = Any
Parameters = Any


class Task(NamedTuple):
    """A model and its examples: `draw(key)`, `init(key)`, `loss(parameters, x, y, step)`, and a projection."""

    init: Callable[[Array], Parameters]
    draw: Callable[[Array], tuple[Array, Array]]
    loss: Callable[[Parameters, Array, Array, Array], Array]
    rate: float = 1e-3
    project: Callable[[Parameters], Parameters] = lambda parameters: parameters


def error(network: Callable[[Parameters, Array], Array]) -> Callable[[Parameters, Array, Array, Array], Array]:
    """Return the mean squared error of a network."""
    return lambda p, x, y, step: jnp.mean((network(p, x) - y) ** 2)


def ramp(step: Array, start: float, end: float) -> Array:
    """Return 0 up to `start`, 1 from `end` on."""
    return jnp.clip((step - start) / (end - start), 0, 1)


def undecided(weight: Array) -> Array:
    """Return the mean distance of weights from 0 or 1."""
    return jnp.mean(jnp.minimum(jnp.abs(weight), jnp.abs(1 - weight)))


def operands(key: Array, size: int) -> Array:
    """Draw pairs."""
    return random.uniform(key, (size, 2), minval=1.0, maxval=2.0)


def products(key: Array, size: int = 128) -> tuple[Array, Array]:
    """Draw pairs and their products."""
    x = operands(key, size)
    return x, jnp.prod(x, axis=1, keepdims=True)


def sums(key: Array, size: int = 128) -> tuple[Array, Array]:
    """Draw pairs and their sums."""
    x = operands(key, size)
    return x, jnp.sum(x, axis=1, keepdims=True)


def tuned_products(key: Array) -> tuple[Array, Array]:
    """Draw pairs, features first, and their products."""
    x = random.uniform(key, (2, 128), minval=1.0, maxval=2.0)
    return x, x[0] * x[1]


def tuned_sums(key: Array) -> tuple[Array, Array]:
    """Draw pairs, features first, and their sums."""
    x = random.uniform(key, (2, 128), minval=1.0, maxval=2.0)
    return x, x[0] + x[1]


def nmu(w: Array, x: Array) -> Array:
    """Return the product over selected inputs."""
    return jnp.prod(w * x[:, None, :] + 1 - w, axis=-1)


def nmu_loss(network: Callable[[Array, Array], Array], start: float, end: float) -> Callable[..., Array]:
    """Return error and penalty."""
    return lambda p, x, y, step: error(network)(p, x, y, step) + 10.0 * ramp(step, start, end) * undecided(p)


def tuned_nmu(w: Array, x: Array) -> Array:
    """Return the product over the two inputs."""
    return (w[0, 0] * x[0] + 1 - w[0, 0]) * (w[0, 1] * x[1] + 1 - w[0, 1])


def accumulate(p: Parameters) -> Array:
    """Return a NAC's weights."""
    return jnp.tanh(p["w"]) * jax.nn.sigmoid(p["m"])


def nac(p: Parameters, x: Array) -> Array:
    """Return the weighted sum."""
    return x @ accumulate(p).T


def tuned_nac(p: Parameters, x: Array) -> Array:
    """Return the weighted sum of the two inputs."""
    w = accumulate(p)[0]
    return w[0] * x[0] + w[1] * x[1]


def nalu(p: Parameters, x: Array) -> Array:
    """Return the gated mixture of sum and product."""
    w, gate = accumulate(p), jax.nn.sigmoid(x @ p["g"].T)
    return gate * (x @ w.T) + (1 - gate) * jnp.exp(jnp.log(jnp.abs(x) + 1e-7) @ w.T)


def tuned_nalu(p: Parameters, x: Array) -> Array:
    """Return the gated mixture for the two inputs."""
    w, g = accumulate(p)[0], p["g"][0]
    gate = jax.nn.sigmoid(g[0] * x[0] + g[1] * x[1])
    logs = [jnp.log(jnp.abs(value) + 1e-7) for value in (x[0], x[1])]
    return gate * (w[0] * x[0] + w[1] * x[1]) + (1 - gate) * jnp.exp(w[0] * logs[0] + w[1] * logs[1])


def unit_init(names: str) -> Callable[[Array], Parameters]:
    """Return the start of named (1, 2) weights."""
    return lambda key: {
        name: random.uniform(k, (1, 2), minval=-1.0, maxval=1.0)
        for name, k in zip(names, random.split(key, len(names)), strict=True)
    }


def half(key: Array) -> Array:
    """Draw an NMU's weights."""
    return random.uniform(key, (1, 2), minval=0.25, maxval=0.75)


def clipped(w: Array) -> Array:
    """Project an NMU's weights."""
    return jnp.clip(w, 0, 1)


UNITS = {
    "nmu natural": Task(half, products, nmu_loss(nmu, 20_000, 35_000), project=clipped),
    "nmu tuned": Task(half, tuned_products, nmu_loss(tuned_nmu, 20_000, 35_000), project=clipped),
    "nalu natural": Task(unit_init("wmg"), products, error(nalu)),
    "nalu tuned": Task(unit_init("wmg"), tuned_products, error(tuned_nalu)),
    "nac natural": Task(unit_init("wm"), sums, error(nac)),
    "nac tuned": Task(unit_init("wm"), tuned_sums, error(tuned_nac)),
}
"""Models by row and form."""
