"""One step of every member: draw examples, differentiate, update, project. State in, state out.

The layers are the ones that a single model uses, mapped over examples (innermost, contiguous in memory) and over
members (outermost) with `torch.func`. Nothing is reduced over members, so no member can touch another.
"""

import copy
import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.func import grad, vmap

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.architectures.own import innermost
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.functional import Functional, dense, learning_rate, objective, written
from arith_lightning.population.graphs import Graphs
from arith_lightning.population.members import Columns
from arith_lightning.population.optimizers import HYPERPARAMETERS, UPDATES, State, adam_corrections, clip
from arith_lightning.population.recording import Recording
from arith_lightning.private import while_loop
from arith_lightning.streams import Purpose, Stream

TILE_BYTES = 4 * 2**20
"""Members are stepped in tiles that write about this much on their way forward, so that it stays in a core's cache."""
AHEAD_BYTES, AHEAD_STEPS = 2**23, 16
"""Batches that a dataset draws ahead are drawn for as many steps as fit in this, but at least for so many."""


class Dynamics:
    """The steps of a population of members with equal structure, in training mode.

    Args:
        module: any one member; its structure, not its values, is used.
        data: any one member's data module, likewise.
    """

    def __init__(self, module: ArithmeticModule, data: ArithmeticDataModule) -> None:
        module = copy.deepcopy(module).train()
        if module.of_torch:
            innermost(module)
        self.module, self.data = module, data
        self.shared = data.fixed or data.shared_stream
        self.objective, self.learning_rate = Functional(module, objective), Functional(module, learning_rate)
        self.initial_of = Functional(module, lambda module, seed: module.initial_of(seed))
        self.reaction = Functional(module, lambda module, *measured: module.after_evaluation(*measured))
        self.shapes = {name: tuple(p.shape) for name, p in module.named_parameters()}
        low, high = [], []
        for name, shape in self.shapes.items():
            bounds = module.bounds().get(name, (-torch.inf, torch.inf))
            low.append(torch.full((math.prod(shape),), bounds[0]))
            high.append(torch.full((math.prod(shape),), bounds[1]))
        self.low, self.high = torch.cat(low), torch.cat(high)
        self.bounded = bool(module.bounds())
        self.dense = dense(module)
        self.rests = bool(module.resting(torch.tensor(0)))
        self.rule, self.buffers = UPDATES[module.optimizer]
        self.bytes_per_member = written(module, data)
        self.tile = max(1, TILE_BYTES // self.bytes_per_member)
        self.graphs = Graphs(self._loop, self.packed, self.dense)
        self.recording = Recording(self.advance)

    def flatten(self, values: Mapping[str, Tensor]) -> Tensor:
        """Concatenate parameters `(members, ...)` by name into `(parameters, members)`."""
        if self.dense:
            return torch.cat([values[name].flatten(1) for name in self.shapes], dim=1).mT
        return torch.cat([values[name].flatten(1).mT for name in self.shapes])

    def packed(self, values: Tensor) -> Tensor:
        """Return a copy of `(parameters, members)` without gaps, in the layout that steps return."""
        turned = self.dense and values.shape[1] > 1  # one member has a single layout, and torch one name for it
        whole = (values.mT if turned else values).clone(memory_format=torch.contiguous_format)
        return whole.mT if turned else whole

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """Return one member's parameters as views of `(parameters,)`."""
        parts = flat.split([math.prod(shape) for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def initial(self, columns: Columns) -> State:
        """Return the state of freshly drawn members, parameters from each member's own seed."""

        def member(seed: Tensor, buffers: dict[str, Tensor]) -> dict[str, Tensor]:
            return self.initial_of.at(buffers, seed)

        if self.module.streams == "counter" and not self.module.of_torch:
            flat = self.flatten(vmap(member)(columns.seed, columns.module))
        else:  # torch's generator cannot be mapped
            each = [
                member(seed, {name: c[k] for name, c in columns.module.items()}) for k, seed in enumerate(columns.seed)
            ]
            flat = self.flatten({name: torch.stack([values[name] for values in each]) for name in self.shapes})
        return {"parameters": flat, **{name: torch.zeros_like(flat) for name in self.buffers}}

    def react(
        self, parameters: Tensor, columns: Columns, interpolation_mse: Tensor, step: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return `(parameters, members)` and the module's columns as an evaluation with these errors leaves them."""

        def member(flat: Tensor, seed: Tensor, buffers: dict[str, Tensor], mse: Tensor) -> dict[str, Tensor]:
            values = self.unflatten(flat) | buffers
            stream = Stream(seed, Purpose.INITIALIZATION, step)
            changed = self.reaction.at(values, mse, stream)
            return {name: changed.get(name, value).to(value.dtype) for name, value in values.items()}

        values = vmap(member, in_dims=(-1, 0, 0, 0))(parameters, columns.seed, columns.module, interpolation_mse)
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
        hyper = {name: columns.module[name].to(parameters.dtype) for name in HYPERPARAMETERS}
        scheduled = vmap(lambda buffers: self.learning_rate.at(buffers, step))(columns.module)
        hyper["learning_rate"] = scheduled.to(parameters.dtype)
        gradient = self.gradient(parameters, columns, x, y, step)
        before, resting = state, self.resting(step) if self.rests else None
        if resting is not None:
            gradient = torch.where(resting, 0.0, gradient)
        gradient = clip(gradient, self.module.gradient_clip_norm, self.module.gradient_clip_value)
        state = self.rule(state, gradient, corrections, hyper)
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

    def advance(self, state: State, columns: Columns, step: Tensor, row: Tensor, given: tuple[Tensor, ...]) -> State:
        """Take one step of every member.

        Args:
            state: where the members are.
            columns: what differs between them.
            step: number of the step.
            row: Adam's bias corrections at this step.
            given: inputs and targets; without them they are drawn.
        """
        x, y = given or self.draw(columns, step, state["parameters"].dtype)
        return self.update(state, columns, x, y, step, row)

    def even(self, members: int) -> int:
        """Return the size of the tiles that so many members are stepped in, the last of which may be smaller."""
        return math.ceil(members / math.ceil(members / self.tile))

    @torch.no_grad()
    def run(
        self, state: State, columns: Columns, step: int, count: int, compile: bool, tile: int | None = None
    ) -> State:
        """Take `count` steps from `step` on, tile by tile; members depend on the tiling to rounding alone.

        Args:
            state: where the members are.
            columns: what differs between them.
            step: number of the first step.
            count: how many are taken.
            compile: whether to compile them.
            tile: size of the tiles, where these are some of more members.
        """
        self.data.place(state["parameters"])
        members = torch.arange(len(columns.seed), device=columns.seed.device)
        tiles = members.split(tile or self.even(len(members)))
        for first, steps, batches in self.stretches(columns, step, count, state["parameters"].dtype):
            ends = [
                self._run(
                    {name: self.packed(value[:, tile]) for name, value in state.items()},
                    columns.select(tile),
                    first,
                    steps,
                    compile,
                    tuple(part[:, tile].contiguous() for part in batches),
                )
                for tile in tiles
            ]
            state = {name: torch.cat([end[name] for end in ends], dim=1) for name in state}
        return state

    def stretches(
        self, columns: Columns, step: int, count: int, dtype: torch.dtype
    ) -> Iterator[tuple[int, int, tuple[Tensor, ...]]]:
        """Yield first step, steps and batches drawn ahead for them; the whole, without batches, where none are."""
        if not self.data.draws_ahead:
            yield step, count, ()
            return
        at_once = max(AHEAD_STEPS, AHEAD_BYTES // (self.bytes_per_member * len(columns.seed)))
        for first in range(step, step + count, at_once):
            steps = min(at_once, step + count - first)
            yield first, steps, self.data.draw_ahead(columns.seed, columns.data, first, steps, dtype)

    def _run(
        self, state: State, columns: Columns, step: int, count: int, compile: bool, batches: tuple[Tensor, ...]
    ) -> State:
        like = state["parameters"]
        corrections = adam_corrections(step, count).to(like)
        first = torch.tensor(step, device=like.device)
        if compile:
            last = torch.tensor(count, device=like.device)
            # no axis of size one, which the compiler would take for a constant
            table, *ahead = (part if count > 1 else torch.cat([part, part]) for part in (corrections, *batches))
            return self.graphs(state, columns, first, table, tuple(ahead), last)
        fixed = self.draw(columns, first, like.dtype) if self.data.fixed else ()

        def given(k: int) -> tuple[Tensor, ...]:
            return fixed or tuple(part[k] for part in batches)

        take = self.recording.of(count, state, columns, first, corrections[0], given(0))
        for k in range(count):
            state = take(state, columns, first + k, corrections[k], given(k))
        return state

    def _loop(
        self,
        state: State,
        columns: Columns,
        first: Tensor,
        corrections: Tensor,
        batches: tuple[Tensor, ...],
        count: Tensor,
    ) -> State:
        """Take `count` steps inside one graph: its loop costs a few microseconds a step, a call costs sixty."""
        fixed = self.draw(columns, first, state["parameters"].dtype) if self.data.fixed else ()

        def unfinished(k: Tensor, *values: Tensor) -> Tensor:
            return k < count

        def body(k: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
            before = dict(zip(state, values, strict=True))
            row, *drawn = (part.index_select(0, k.unsqueeze(0)).squeeze(0) for part in (corrections, *batches))
            after = self.advance(before, columns, first + k, row, fixed or tuple(drawn))
            return k + 1, *(after[name] for name in state)

        # copies with the strides that a step returns, also where there is a single parameter
        start = (self.packed(value) for value in state.values())
        _, *values = while_loop(unfinished, body, (torch.zeros_like(first), *start))
        return dict(zip(state, values, strict=True))
