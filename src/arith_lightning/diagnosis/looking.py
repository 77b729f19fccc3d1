"""Takes the evidence of a diagnosis from a population in training."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from arith_lightning.architectures import ArithmeticModule, LinearLayer
from arith_lightning.architectures.activations import ACTIVATIONS
from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.family import head
from arith_lightning.diagnosis.history import History
from arith_lightning.diagnosis.task import Task
from arith_lightning.population import Population
from arith_lightning.population.functional import Functional
from arith_lightning.population.members import Columns
from arith_lightning.streams import Purpose, Stream

EXAMPLES, NUMBERS = 1000, 2**24
"""Examples looked at, fewer where all members' answers and units to them would be more numbers than this."""
CHUNK = 64
"""Members looked at at a time."""


def evidence(population: Population, history: History, task: Task) -> Evidence | None:
    """Return what can be seen of the unsolved members; None where all are solved or nothing has been measured."""
    index = (~population.success & population.record.measured).nonzero().squeeze(-1)
    if not len(index):
        return None
    data, module = population.data, population.module
    return Evidence(
        **answered(population, index),
        **measured(population, index.cpu(), history),
        **asked(task, index.tolist()),
        learning_rate=population.all_columns.module["learning_rate"][index].cpu(),
        family=task.family,
        affine=isinstance(next(iter(module.layers().values()), None), LinearLayer) or is_linear(population),
        fixed=data.fixed,
        classes=data.classes,
        share=data.criterion.share,
        optimizer=module.optimizer,
    )


def answered(population: Population, index: Tensor) -> dict[str, Any]:
    """Return training examples, and what members answer to them and learn from them now."""
    data, dynamics = population.data, population.dynamics
    flat, columns = latest(population)
    flat, columns = flat[:, index], columns.select(index)
    x, y, size = training(population, columns, flat)
    gradient = dynamics.gradient(flat, columns, x, y, torch.tensor(population.global_step, device=flat.device))
    if dynamics.shared:
        x, y = (part.expand(len(index), *part.shape) for part in (x, y))
    places = torch.linspace(0, x.shape[-1] - 1, min(size, x.shape[-1]), device=x.device).long()
    x, y = x[..., places], y[..., places]
    answer, gates, units, kinds = looked(population, flat, columns, x)
    x, y, answer = x.cpu(), y.cpu(), answer.cpu()

    def judge(answers: Tensor, targets: Tensor) -> Tensor:
        return data.judge(data.original(answers), data.original(targets)).double()

    return {
        "x": x,
        "y": y,
        "answer": answer,
        "judge": judge,
        "fit_error": torch.stack([judge(a, t) for a, t in zip(answer, y, strict=True)]),
        "units": {name: values.cpu() for name, values in units.items()},
        "kinds": kinds,
        "gates": None if gates is None else gates.cpu(),
        "gradient": by_layer(gradient.cpu(), dynamics.shapes),
    }


def measured(population: Population, index: Tensor, history: History) -> dict[str, Any]:
    """Return members' errors on the evaluation sets, now and before."""
    record = population.record
    inside, outside = record.latest_interpolation_mse.cpu()[index], record.latest_extrapolation_mse.cpu()[index]
    steps, errors = history.table(index)
    return {
        "diverged": record.diverged.cpu()[index] | ~inside.isfinite(),
        "inside": inside,
        "outside": outside,
        "threshold": population.threshold.cpu()[index].double(),
        "steps": steps,
        "errors": errors,
    }


def asked(task: Task, members: list[int]) -> dict[str, Any]:
    """Return what members are asked: numbers of each, the rest of the first."""
    each, first = [task.asked(member) for member in members], task.asked(members[0])
    numbers = ("variance", "outside_variance", "constant_error")
    columns = {name: torch.tensor([getattr(one, name) for one in each], dtype=torch.float64) for name in numbers}
    return first._asdict() | columns


def latest(population: Population) -> tuple[Tensor, Columns]:
    """Return all members' parameters `(parameters, members)` and columns: of those that are live as they are now."""
    live, flat = population.live, population.record.parameters.clone()
    flat[:, live.index] = live.parameters
    columns = population.all_columns
    module = {name: column.to(flat.device).clone() for name, column in columns.module.items()}
    for name, column in live.columns.module.items():
        module[name][live.index] = column
    return flat, Columns(columns.seed.to(flat.device), module, {n: c.to(flat.device) for n, c in columns.data.items()})


def training(population: Population, columns: Columns, flat: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return examples as members train on them, inputs and targets, and how many of them are looked at closely.

    They are the fixed rows, or the first batches of the members' own streams: the same at every look.
    """
    data, dynamics, dtype = population.data, population.dynamics, flat.dtype
    data.place(flat)
    width = data.in_features + data.out_features + sum(shape[0] for shape in dynamics.shapes.values() if shape)
    size = max(32, min(EXAMPLES, NUMBERS // (len(columns.seed) * width)))
    first = torch.zeros((), dtype=torch.int64, device=flat.device)
    if data.fixed:
        return *dynamics.draw(columns, first, dtype), size
    if data.draws_ahead:
        count = math.ceil(size / data.batch_size)
        x, y = data.draw_ahead(columns.seed, columns.data, 0, count, dtype)
        return *(part.movedim(0, -2).flatten(-2) for part in (x, y)), size  # type: ignore[return-value]

    def batch(seed: Tensor, given: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return data.draw(Stream(seed, Purpose.TRAINING, first, dtype), given, "interpolation", size)

    if dynamics.shared:
        drawn = batch(torch.zeros_like(columns.seed[0]), {name: column[0] for name, column in columns.data.items()})
    else:
        drawn = vmap(batch)(columns.seed, columns.data)
    return *drawn, size


def looked(
    population: Population, flat: Tensor, columns: Columns, x: Tensor
) -> tuple[Tensor, Tensor | None, dict[str, Tensor], dict[str, str]]:
    """Return answers, gates, hidden activations and their kinds of members `(parameters, members)` on `x`."""
    whole, known = population.module, tuple(set(ACTIVATIONS.values()) - {nn.Identity})
    parts: dict[str, nn.Module] = dict(whole.named_modules())
    hidden = {name: part for name, part in parts.items() if isinstance(part, known) and part is not head(whole)}

    def outputs(module: ArithmeticModule, x: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        caught: dict[str, Tensor] = {}

        def catch(name: str) -> Callable[..., None]:
            return lambda part, given, result: caught.update({name: result.reshape(-1, result.shape[-1]).mT})

        hooks = [part.register_forward_hook(catch(name)) for name, part in hidden.items()]
        try:
            answer = module(x)
        finally:
            for hook in hooks:
                hook.remove()
        gates = module.gates(x)
        return answer.mT, x.new_empty(0) if gates is None else gates.flatten(), caught

    function = Functional(whole, outputs)

    def member(flat: Tensor, buffers: dict[str, Tensor], x: Tensor) -> Any:
        return function.at(population.dynamics.unflatten(flat) | buffers, x.mT)

    answer, gates, units = vmap(member, in_dims=(-1, 0, 0), chunk_size=CHUNK)(flat, columns.module, x)
    kinds = {name: type(part).__name__ for name, part in hidden.items() if name in units}
    return answer, gates if gates.numel() else None, units, kinds


def is_linear(population: Population) -> bool:
    """Return whether one's own network begins with torch's affine layer."""
    first = next((part for part in population.module.network.modules() if not list(part.children())), None)
    return isinstance(first, nn.Linear)


def by_layer(gradient: Tensor, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return the root of the mean square of the gradient `(parameters, members)` of each layer, in their order."""
    rows: dict[str, list[Tensor]] = {}
    for (name, _), part in zip(shapes.items(), gradient.split([math.prod(s) for s in shapes.values()]), strict=True):
        rows.setdefault(name.rpartition(".")[0], []).append(part)
    return {name: torch.cat(parts).double().square().mean(0).sqrt() for name, parts in rows.items()}
