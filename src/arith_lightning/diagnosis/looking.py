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
from arith_lightning.diagnosis.family import family, head
from arith_lightning.diagnosis.history import History
from arith_lightning.population import Population
from arith_lightning.population.asking import names
from arith_lightning.population.functional import Functional
from arith_lightning.population.measurement import SPLITS
from arith_lightning.population.members import Columns
from arith_lightning.streams import Purpose, Stream

EXAMPLES, NUMBERS = 1000, 2**24
"""Examples looked at, fewer where all members' answers and units to them would be more numbers than this."""
MARGIN, BEYOND = 0.1, 0.05
"""Share of an input's range by which it must lie outside, and of the examples that must, to count as beyond."""
TIED = 0.99999
"""Correlation of two inputs from which they say the same."""
CHUNK = 64
"""Members looked at at a time."""


def evidence(population: Population, history: History) -> Evidence | None:
    """Return what can be seen of the unsolved members; None where all are solved or nothing has been measured."""
    record, data, dynamics = population.record, population.data, population.dynamics
    index = (~population.success & record.measured).nonzero().squeeze(-1)
    if not len(index):
        return None
    flat, columns = latest(population)
    flat, columns = flat[:, index], columns.select(index)
    x, y, size = training(population, columns, flat)
    now = torch.tensor(population.global_step, device=flat.device)
    gradient = dynamics.gradient(flat, columns, x, y, now)
    seen = x.cpu() if data.fixed else population.examples(int(index[0]), "interpolation")[0]
    if dynamics.shared:
        x, y = (part.expand(len(index), *part.shape) for part in (x, y))
    places = torch.linspace(0, x.shape[-1] - 1, min(size, x.shape[-1]), device=x.device).long()
    x, y = x[..., places], y[..., places]
    answer, gates, units, kinds = looked(population, flat, columns, x)
    setting = (index // len(population.seeds)).cpu()
    inside, outside, constant_error = sets(population, setting)
    steps, errors = history.table(index.cpu())
    asked_x, asked_y = population.examples(int(index[0]), "extrapolation")
    low, high = seen.amin(1, keepdim=True), seen.amax(1, keepdim=True)
    margin = MARGIN * (high - low)
    beyond = ((asked_x < low - margin) | (asked_x > high + margin)).any(0).double().mean().item()
    named = names(data)
    named = named if len(named) == data.in_features else [f"x{k + 1}" for k in range(data.in_features)]
    constant = ((low == high) & (asked_x != low)).any(1)
    latest_error = record.latest_interpolation_mse[index].cpu()

    def judge(answers: Tensor, targets: Tensor) -> Tensor:
        return data.judge(data.original(answers), data.original(targets)).double()

    x, y, answer = x.cpu(), y.cpu(), answer.cpu()
    eps = torch.finfo(population.precision).eps / 2
    return Evidence(
        x=x,
        y=y,
        answer=answer,
        diverged=(record.diverged[index].cpu() | ~latest_error.isfinite()),
        fit_error=torch.stack([judge(a, t) for a, t in zip(answer, y, strict=True)]),
        constant_error=constant_error,
        threshold=population.threshold[index].cpu().double(),
        inside=latest_error,
        outside=record.latest_extrapolation_mse[index].cpu(),
        variance=inside,
        outside_variance=outside,
        learning_rate=population.all_columns.module["learning_rate"][index].cpu(),
        judge=judge,
        steps=steps,
        errors=errors,
        units={name: values.cpu() for name, values in units.items()},
        kinds=kinds,
        gradient=by_layer(gradient.cpu(), dynamics.shapes),
        gates=None if gates is None else gates.cpu(),
        rounding=(eps * asked_y.double()).square().mean().item() / 3 if data.criterion.squared else 0.0,
        family=family(population),
        affine=isinstance(next(iter(population.module.layers().values()), None), LinearLayer) or is_linear(population),
        fixed=data.fixed,
        classes=data.classes,
        share=data.criterion.share,
        strange=tuple(name for name, same in zip(named, constant.tolist(), strict=True) if same),
        beyond=beyond if beyond > BEYOND else 0.0,
        parted=tuple(named[k] for k in parted(seen, asked_x)),
        optimizer=population.module.optimizer,
    )


def parted(seen: Tensor, asked: Tensor) -> list[int]:
    """Return two rows of `(in_features, examples)` that say the same in what is seen, not in what is asked."""

    def tied(x: Tensor) -> Tensor:
        x = x.double() - x.double().mean(1, keepdim=True)
        norm = x.norm(dim=1).clamp(min=1e-30)
        return (x @ x.mT / (norm.unsqueeze(1) * norm)).abs() > TIED

    pairs = torch.triu(tied(seen) & ~tied(asked), diagonal=1).nonzero().tolist()
    return pairs[0] if pairs else []


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


def sets(population: Population, setting: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return, of members by their settings, the variances of both evaluation sets and a constant answer's error."""
    data, alike, found = population.data, not population.all_columns.data, dict[int, list[float]]()
    for number in [0] if alike else setting.unique().tolist():
        inner, outer = (population.examples(number * len(population.seeds), split)[1].double() for split in SPLITS)
        constant = data.judge(data.baseline(inner)[1], inner).item()
        found[number] = [*(y.var(-1, correction=0).mean().item() for y in (inner, outer)), constant]
    each = torch.tensor([found[0 if alike else int(number)] for number in setting], dtype=torch.float64)
    return each[:, 0], each[:, 1], each[:, 2]
