"""JAX's side of the benchmark: a program of its own that takes orders as lines of JSON on standard input.

Needs jax and optax and nothing of this project. Every population is `jit(vmap(scan))` with optax and jax.random; a
single model is `jit(scan)`.
"""

import json
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax, random
from jax_networks import NETWORKS
from jax_units import UNITS, Array, Parameters, Task

TASKS = UNITS | NETWORKS


class Trained:
    """Members of a task, compiled for a number of steps a call.

    Args:
        task: the model.
        members: how many.
        steps: steps of a call.
    """

    def __init__(self, task: Task, members: int, steps: int) -> None:
        optimizer = optax.adam(task.rate)

        def start(key: Array) -> tuple[Parameters, Any]:
            parameters = task.init(key)
            return parameters, optimizer.init(parameters)

        def train(carry: Any, key: Array, first: Array) -> Any:
            def step(carry: Any, number: Array) -> tuple[Any, None]:
                parameters, moments = carry
                x, y = task.draw(random.fold_in(key, number))
                gradient = jax.grad(task.loss)(parameters, x, y, number)
                updates, moments = optimizer.update(gradient, moments)
                return (task.project(optax.apply_updates(parameters, updates)), moments), None

            return lax.scan(step, carry, first + jnp.arange(steps))[0]

        if members == 1:
            self.keys, mapped, begin = random.key(0), train, start
        else:
            self.keys = random.split(random.key(0), members)
            mapped, begin = jax.vmap(train, in_axes=(0, 0, None)), jax.vmap(start)
        self.carry = jax.block_until_ready(jax.jit(begin)(self.keys))
        self.step, self.steps, self.members = 0, steps, members
        before = time.process_time()
        self.call = jax.jit(mapped).lower(self.carry, self.keys, 0).compile()
        self.compiling = time.process_time() - before

    def run(self, seconds: float) -> float:
        """Take steps for so many CPU seconds; return model updates in a second."""
        before, calls, spent = time.process_time(), 0, 0.0
        while spent < seconds or not calls:
            self.carry = jax.block_until_ready(self.call(self.carry, self.keys, self.step))
            self.step, calls, spent = self.step + self.steps, calls + 1, time.process_time() - before
        return calls * self.steps * self.members / spent


class Product:
    """The product of two square matrices; its rate is in GFLOP/s.

    Args:
        side: of the matrices.
    """

    def __init__(self, side: int) -> None:
        self.matrix, self.side = random.uniform(random.key(0), (side, side)), side
        before = time.process_time()
        self.call = jax.jit(lambda a, b: a @ b).lower(self.matrix, self.matrix).compile()
        self.compiling = time.process_time() - before

    def run(self, seconds: float) -> float:
        """Multiply for so many CPU seconds; return GFLOP/s."""
        before, calls, spent = time.process_time(), 0, 0.0
        while spent < seconds or not calls:
            self.call(self.matrix, self.matrix).block_until_ready()
            calls, spent = calls + 1, time.process_time() - before
        return calls * 2 * self.side**3 / 1e9 / spent


def prepared(order: dict[str, Any]) -> Trained | Product:
    """Return what an order asks to get ready."""
    if order["row"] == "sgemm":
        return Product(order["steps"])
    return Trained(TASKS[f"{order['row']} {order['form']}"], order["members"], order["steps"])


def main() -> None:
    """Answer orders until there are no more."""
    known: dict[str, Trained | Product] = {}
    about = {"jax": jax.__version__, "optax": optax.__version__, "tasks": list(TASKS)}
    print(json.dumps(about | {"imports": time.process_time()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "forget":
            known.clear()
            answer = {}
        else:
            key = f"{order['row']} {order['form']} {order['members']}"
            if order["do"] == "prepare":
                known[key] = prepared(order)
                known[key].run(0.0)
                answer = {"compile": known[key].compiling}
            else:
                answer = {"rate": known[key].run(order["seconds"])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
