"""One step of every member: draw examples, differentiate, update, project. State in, state out.

The layers are the ones that a single model uses, mapped over examples (innermost, contiguous in memory) and over
members (outermost) with `torch.func`. Nothing is reduced over members, so no member can touch another.
"""

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._higher_order_ops.while_loop import while_loop
from torch.func import functional_call, grad, vmap

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.compilation import compiled
from arith_lightning.population.optimizers import UPDATES, State, adam_corrections, clip
from arith_lightning.streams import Purpose, Stream

TILE_BYTES = 2 * 2**20
"""Members are stepped in tiles whose examples and activations fit a core's cache."""
AHEAD_BYTES, AHEAD_STEPS = 2**23, 16
"""Batches that a dataset draws ahead are drawn for as many steps as fit in this, but at least for so many."""


class Columns(NamedTuple):
    """What differs between members, each tensor with a leading axis of members."""

    seed: Tensor
    """int32 seeds."""
    module: dict[str, Tensor]
    """The module's buffers (hyperparameters)."""
    data: dict[str, Tensor]
    """The data module's columns."""


class Functional(nn.Module):
    """A function of a module, to be called as if the module had other parameters and buffers.

    Args:
        module: the architecture.
        function: maps the module, then arguments, to anything.
    """

    def __init__(self, module: ArithmeticModule, function: Callable[..., Any]) -> None:
        super().__init__()
        self.module, self.function = module, function

    def forward(self, *arguments: Any) -> Any:
        """Return what the function makes of the module as it is."""
        return self.function(self.module, *arguments)

    def at(self, values: Mapping[str, Tensor], *arguments: Any) -> Any:
        """Return what the function makes of the module with these parameters and buffers by full name."""
        return functional_call(self, {f"module.{name}": value for name, value in values.items()}, arguments)


def objective(module: ArithmeticModule, x: Tensor, y: Tensor, step: Tensor) -> Tensor:
    """Return the loss of one member on examples `(in_features, size)` with targets `(out_features, size)`."""
    return module.loss(vmap(module.forward, in_dims=-1, out_dims=-1)(x), x, y, step)


def learning_rate(module: ArithmeticModule, step: Tensor) -> Tensor:
    """Return the learning rate of one member at a step."""
    return module.learning_rate * module.learning_rate_factor(step)


class Dynamics:
    """The steps of a population of members with equal structure, in training mode.

    Args:
        module: any one member; its structure, not its values, is used.
        data: any one member's data module, likewise.
    """

    def __init__(self, module: ArithmeticModule, data: ArithmeticDataModule) -> None:
        module = copy.deepcopy(module).train()
        self.module, self.data = module, data
        self.shared = data.fixed or data.shared_stream
        self.objective, self.learning_rate = Functional(module, objective), Functional(module, learning_rate)
        self.start = Functional(module, lambda module, seed: module.start(seed))
        self.reaction = Functional(module, lambda module, error, stream: module.after_evaluation(error, stream))
        self.shapes = {name: tuple(p.shape) for name, p in module.named_parameters()}
        low, high = [], []
        for name, shape in self.shapes.items():
            bounds = module.bounds().get(name, (-torch.inf, torch.inf))
            low.append(torch.full((math.prod(shape),), bounds[0]))
            high.append(torch.full((math.prod(shape),), bounds[1]))
        self.low, self.high = torch.cat(low), torch.cat(high)
        self.bounded = bool(module.bounds())
        self.rests = bool(module.resting(torch.tensor(0)))
        self.rule, self.buffers = UPDATES[module.optimizer]
        examples = 0 if self.shared else data.in_features
        activations = examples + sum(layer.out_features for layer in module.layers().values())
        self.bytes_per_member = 4 * data.batch_size * activations
        self.tile = max(1, TILE_BYTES // self.bytes_per_member)
        self.graphs: dict[str, Any] = {}

    def flatten(self, values: Mapping[str, Tensor]) -> Tensor:
        """Concatenate parameters `(members, ...)` by name into `(parameters, members)`."""
        return torch.cat([values[name].flatten(1).movedim(0, -1) for name in self.shapes])

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """Return one member's parameters as views of `(parameters,)`."""
        parts = flat.split([math.prod(shape) for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def initial(self, columns: Columns) -> State:
        """Return the state of freshly drawn members, parameters from each member's own seed."""

        def member(seed: Tensor, buffers: dict[str, Tensor]) -> dict[str, Tensor]:
            return self.start.at(buffers, seed)

        if self.module.streams == "counter":
            flat = self.flatten(vmap(member)(columns.seed, columns.module))
        else:  # torch's generator cannot be mapped
            each = [
                member(seed, {name: c[k] for name, c in columns.module.items()}) for k, seed in enumerate(columns.seed)
            ]
            flat = self.flatten({name: torch.stack([values[name] for values in each]) for name in self.shapes})
        return {"parameters": flat, **{name: torch.zeros_like(flat) for name in self.buffers}}

    def react(self, parameters: Tensor, columns: Columns, error: Tensor, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return `(parameters, members)` and the module's columns as an evaluation with these errors leaves them."""

        def member(flat: Tensor, seed: Tensor, buffers: dict[str, Tensor], error: Tensor) -> dict[str, Tensor]:
            values = self.unflatten(flat) | buffers
            stream = Stream(seed, Purpose.INITIALIZATION, step)
            changed = self.reaction.at(values, error, stream)
            return {name: changed.get(name, value).to(value.dtype) for name, value in values.items()}

        values = vmap(member, in_dims=(-1, 0, 0, 0))(parameters, columns.seed, columns.module, error)
        return self.flatten(values), {name: values[name] for name in columns.module}

    def draw(self, columns: Columns, step: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return every member's batch: `(members, features, examples)`, or `(features, examples)` of shared ones."""

        def batch(seed: Tensor, data: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            stream = Stream(seed, Purpose.TRAINING, step, dtype)
            return self.data.draw(stream, data, "interpolation", self.data.batch_size)

        if self.data.draws_ahead:
            x, y = self.data.draw_ahead(columns.seed, columns.data, int(step), 1, dtype)
            return x[0], y[0]
        if self.shared:
            return batch(torch.zeros_like(columns.seed[0]), {name: column[0] for name, column in columns.data.items()})
        return vmap(batch)(columns.seed, columns.data)

    def gradient(self, parameters: Tensor, columns: Columns, x: Tensor, y: Tensor, step: Tensor) -> Tensor:
        """Return every member's gradient of its own loss, `(parameters, members)`."""

        def loss(values: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return self.objective.at(values | buffers, x, y, step)

        def member(flat: Tensor, buffers: dict[str, Tensor], x: Tensor, y: Tensor) -> dict[str, Tensor]:
            return grad(loss)(self.unflatten(flat), buffers, x, y)

        examples = None if self.shared else 0
        mapped = vmap(member, in_dims=(-1, 0, examples, examples))
        return self.flatten(mapped(parameters, columns.module, x, y))

    def update(self, state: State, columns: Columns, x: Tensor, y: Tensor, step: Tensor, corrections: Tensor) -> State:
        """Take one optimizer step of every member on its batch, and project bounded parameters."""
        parameters = state["parameters"]

        rate, decay, memory = (
            column.to(parameters.dtype)
            for column in (
                vmap(lambda buffers: self.learning_rate.at(buffers, step))(columns.module),
                columns.module["weight_decay"],
                columns.module["smoothing" if self.module.optimizer == "rmsprop" else "momentum"],
            )
        )
        gradient = self.gradient(parameters, columns, x, y, step)
        before, resting = state, self.resting(step) if self.rests else None
        if resting is not None:
            gradient = torch.where(resting, 0.0, gradient)
        gradient = clip(gradient, self.module.gradient_clip_norm, self.module.gradient_clip_value)
        state = self.rule(state, gradient, rate, corrections, decay, memory)
        if resting is not None:
            state = {name: torch.where(resting, before[name], value) for name, value in state.items()}
        if self.bounded:
            low, high = (bound.to(parameters).unsqueeze(-1) for bound in (self.low, self.high))
            state = state | {"parameters": torch.minimum(torch.maximum(state["parameters"], low), high)}
        return state

    def resting(self, step: Tensor) -> Tensor:
        """Return which parameters no member moves at `step`, `(parameters, 1)`."""
        named = self.module.resting(step)
        none = torch.zeros((), dtype=torch.bool, device=step.device)
        rows = [named.get(name, none).expand(math.prod(shape)) for name, shape in self.shapes.items()]
        return torch.cat(rows).unsqueeze(-1)

    @torch.no_grad()
    def run(self, state: State, columns: Columns, step: int, count: int, compile: bool) -> State:
        """Take `count` steps from `step` on, tile by tile; members do not depend on the tiling."""
        if not self.data.draws_ahead:
            return self._run(state, columns, step, count, compile, ())
        at_once = max(AHEAD_STEPS, AHEAD_BYTES // (self.bytes_per_member * len(columns.seed)))
        for first in range(step, step + count, at_once):
            steps = min(at_once, step + count - first)
            ahead = self.data.draw_ahead(columns.seed, columns.data, first, steps, state["parameters"].dtype)
            state = self._run(state, columns, first, steps, compile, ahead)
        return state

    def _run(
        self, state: State, columns: Columns, step: int, count: int, compile: bool, ahead: tuple[Tensor, ...]
    ) -> State:
        tiles = [
            self._run_tile(
                {name: value[:, a : a + self.tile].contiguous() for name, value in state.items()},
                Columns(
                    columns.seed[a : a + self.tile],
                    *({name: c[a : a + self.tile] for name, c in group.items()} for group in columns[1:]),
                ),
                step,
                count,
                compile,
                tuple(part[:, a : a + self.tile].contiguous() for part in ahead),
            )
            for a in range(0, len(columns.seed), self.tile)
        ]
        return {name: torch.cat([tile[name] for tile in tiles], dim=1) for name in state}

    def _run_tile(
        self, state: State, columns: Columns, step: int, count: int, compile: bool, ahead: tuple[Tensor, ...]
    ) -> State:
        like = state["parameters"]
        corrections = adam_corrections(step, count).to(like)
        first = torch.tensor(step, device=like.device)
        if compile:
            kind = f"{like.dtype} {like.device} {'one' if len(columns.seed) == 1 else 'many'}"
            if kind not in self.graphs:
                axes = ((-1,), (0,), (), (0,), (0, 1), ())
                self.graphs[kind] = compiled(lambda *arguments: self._loop(*arguments), axes)
            last = torch.tensor(count, device=like.device)
            # no axis of size one, which the compiler would take for a constant
            table, *batches = (part if count > 1 else torch.cat([part, part]) for part in (corrections, *ahead))
            return self.graphs[kind](state, columns, first, table, tuple(batches), last)
        fixed = self.draw(columns, first, like.dtype) if self.data.fixed else None
        for k in range(count):
            x, y = fixed or tuple(part[k] for part in ahead) or self.draw(columns, first + k, like.dtype)
            state = self.update(state, columns, x, y, first + k, corrections[k])
        return state

    def _loop(
        self,
        state: State,
        columns: Columns,
        first: Tensor,
        corrections: Tensor,
        ahead: tuple[Tensor, ...],
        count: Tensor,
    ) -> State:
        """Take `count` steps inside one graph: its loop costs a few microseconds a step, a call costs sixty."""
        dtype = state["parameters"].dtype
        fixed = self.draw(columns, first, dtype) if self.data.fixed else None

        def unfinished(k: Tensor, *values: Tensor) -> Tensor:
            return k < count

        def body(k: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
            before = dict(zip(state, values, strict=True))
            row, *drawn = (part.index_select(0, k.unsqueeze(0)).squeeze(0) for part in (corrections, *ahead))
            x, y = fixed or drawn or self.draw(columns, first + k, dtype)
            after = self.update(before, columns, x, y, first + k, row)
            return k + 1, *(after[name] for name in state)

        # copies with the strides that a step returns, also where there is a single parameter
        start = (value.clone(memory_format=torch.contiguous_format) for value in state.values())
        _, *values = while_loop(unfinished, body, (torch.zeros_like(first), *start))
        return dict(zip(state, values, strict=True))
