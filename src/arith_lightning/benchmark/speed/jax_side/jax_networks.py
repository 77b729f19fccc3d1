"""Networks in JAX, as a researcher writes them: examples first, products of matrices."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import optax
from jax import lax, random
from jax_units import Array, Parameters, Task, error, half, nmu, products, ramp, undecided


def affine(key: Array, fan_in: int, fan_out: int) -> Parameters:
    """Draw an affine layer as torch does."""
    bound = fan_in**-0.5
    k1, k2 = random.split(key)
    w = random.uniform(k1, (fan_in, fan_out), minval=-bound, maxval=bound)
    return {"w": w, "b": random.uniform(k2, (fan_out,), minval=-bound, maxval=bound)}


def mlp_init(*sizes: int) -> Callable[[Array], Parameters]:
    """Return the start of a perceptron."""
    count = len(sizes) - 1
    return lambda key: [affine(k, *pair) for k, pair in zip(random.split(key, count), pairwise(sizes), strict=True)]


def mlp(p: Parameters, x: Array) -> Array:
    """Return a perceptron's outputs."""
    for layer in p[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ p[-1]["w"] + p[-1]["b"]


def bits(key: Array) -> tuple[Array, Array]:
    """Draw rows of 16 bits and their parity."""
    x = random.bernoulli(key, shape=(128, 16))
    return 2.0 * x - 1.0, (x.sum(1, keepdims=True) % 2).astype(jnp.float32)


def binary_products(key: Array) -> tuple[Array, Array]:
    """Draw the bits of two numbers and of their product."""
    numbers = random.randint(key, (256, 2), 0, 256)
    x = (numbers[:, :, None] >> jnp.arange(7, -1, -1)) & 1
    y = (jnp.prod(numbers, axis=1, keepdims=True) >> jnp.arange(15, -1, -1)) & 1
    return x.reshape(256, 16).astype(jnp.float32) - 0.5, y.astype(jnp.float32)


def cross_entropy(p: Parameters, x: Array, y: Array, step: Array) -> Array:
    """Return the mean cross-entropy of bits."""
    return jnp.mean(optax.sigmoid_binary_cross_entropy(mlp(p, x), y))


def rnn_init(key: Array) -> Parameters:
    """Draw a recurrent network of 32 units."""
    k1, k2, k3, k4 = random.split(key, 4)
    bound = 32**-0.5
    w, u, b = (
        random.uniform(k, shape, minval=-bound, maxval=bound)
        for k, shape in ((k1, (1, 32)), (k2, (32, 32)), (k3, (32,)))
    )
    return {"w": w, "u": u, "b": b, "out": affine(k4, 32, 1)}


def rnn(p: Parameters, x: Array) -> Array:
    """Return the answer after the last symbol that is not padding."""

    def cell(h: Array, symbol: Array) -> tuple[Array, None]:
        after = jax.nn.relu(symbol[:, None] * p["w"] + p["b"] + h @ p["u"])
        return jnp.where(symbol[:, None] == 0, h, after), None

    h, _ = lax.scan(cell, jnp.zeros((x.shape[0], 32)), x.T)
    return h @ p["out"]["w"] + p["out"]["b"]


def sequences(key: Array) -> tuple[Array, Array]:
    """Draw padded sequences of ten symbols and their parity."""
    k1, k2 = random.split(key)
    x = 1.0 - 2.0 * random.bernoulli(k1, shape=(64, 10))
    x = jnp.where(jnp.arange(10) < random.randint(k2, (64, 1), 1, 11), x, 0.0)
    return x, ((x > 0).sum(1, keepdims=True) % 2).astype(jnp.float32)


def sets_init(key: Array) -> Parameters:
    """Draw a Deep Sets network."""
    k1, k2, k3 = random.split(key, 3)
    return {"inner": affine(k1, 1, 32), "outer": affine(k2, 32, 16), "rho": affine(k3, 16, 1)}


def sets_log(p: Parameters, x: Array) -> Array:
    """Return the logarithm of the answer."""
    numbers, mask = x[:, :5, None], x[:, 5:, None]
    hidden = jax.nn.gelu(numbers @ p["inner"]["w"] + p["inner"]["b"], approximate=False)
    pooled = jnp.sum((hidden @ p["outer"]["w"] + p["outer"]["b"]) * mask, axis=1)
    return pooled @ p["rho"]["w"] + p["rho"]["b"]


def sets(key: Array) -> tuple[Array, Array]:
    """Draw sets of one to five numbers and the logarithms of their products."""
    k1, k2 = random.split(key)
    mask = jnp.arange(5) < random.randint(k1, (128, 1), 1, 6)
    x = random.uniform(k2, (128, 5), minval=0.5, maxval=2.0)
    logs = jnp.where(mask, jnp.log(x), 0.0).sum(1, keepdims=True)
    return jnp.concatenate([x * mask, mask.astype(jnp.float32)], axis=1), logs


def windows(key: Array) -> tuple[Array, Array]:
    """Draw 100 inputs and the product of the sums of two windows."""
    x = random.uniform(key, (128, 100), minval=1.0, maxval=2.0)
    return x, x[:, :25].sum(1, keepdims=True) * x[:, 13:38].sum(1, keepdims=True)


def stack_init(key: Array) -> Parameters:
    """Draw an addition unit and a multiplication unit."""
    k1, k2 = random.split(key)
    r = min(0.5, (6 / 102) ** 0.5)
    return {"nau": random.uniform(k1, (2, 100), minval=-r, maxval=r), "nmu": half(k2)}


def stack_loss(p: Parameters, x: Array, y: Array, step: Array) -> Array:
    """Return error and penalty."""
    penalty = undecided(jnp.abs(p["nau"])) + undecided(p["nmu"])
    return jnp.mean((nmu(p["nmu"], x @ p["nau"].T) - y) ** 2) + 10.0 * ramp(step, 1e6, 2e6) * penalty


def stack_clipped(p: Parameters) -> Parameters:
    """Project both units' weights."""
    return {"nau": jnp.clip(p["nau"], -1, 1), "nmu": jnp.clip(p["nmu"], 0, 1)}


NETWORKS = {
    "mlp natural": Task(mlp_init(2, 32, 32, 1), products, error(mlp)),
    "mlp_parity natural": Task(mlp_init(16, 64, 64, 1), bits, error(mlp)),
    "mlp_product natural": Task(mlp_init(16, 64, 64, 64, 64, 16), binary_products, cross_entropy),
    "mlp_wide natural": Task(mlp_init(2, 128, 128, 128, 128, 1), partial(products, size=256), error(mlp)),
    "rnn natural": Task(rnn_init, sequences, error(rnn), 5e-3),
    "deep_sets natural": Task(sets_init, sets, error(sets_log)),
    "arithmetic natural": Task(stack_init, windows, stack_loss, project=stack_clipped),
}
"""Models by row and form."""
