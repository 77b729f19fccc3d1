"""Some steps of training, and what they make of members beside others."""

import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from lightning import Trainer
from torch import Tensor

from arith_lightning.again import parameters
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population import Population, identity, recording

Pair = tuple[ArithmeticModule, ArithmeticDataModule]
Given = dict[str, Any]
STEPS = 3


def trainer(max_steps: int, **options: Any) -> Trainer:
    """Return a quiet trainer on the CPU that writes nothing."""
    quiet: Given = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
        "accelerator": "cpu",
        "max_epochs": -1,
    }
    return Trainer(max_steps=max_steps, **quiet | options)


def steps(module: ArithmeticModule, data: ArithmeticDataModule) -> Tensor:
    """Return the parameters `(parameters, 2)` of two members after some steps, not compiled."""
    population = Population(module, data, seeds=[0, 5])
    return population.dynamics.run(population.live.state, population.live.columns, 0, STEPS, False)["parameters"]


def recorded_and_taken(module: ArithmeticModule, data: ArithmeticDataModule) -> tuple[Tensor, Tensor]:
    """Return the parameters after steps that are replayed from a recording, and after the same steps without one."""
    ends = []
    for pays in (0, math.inf):
        identity._known.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recording, "RECORDING", pays)
            ends.append(steps(module, data))
    return ends[0], ends[1]


def beside_and_alone(first: Callable[[], Pair], second: Callable[[], Pair]) -> tuple[Tensor, Tensor]:
    """Return the second's parameters after the first has trained in the same process, and without it."""
    identity._known.clear()
    steps(*first())
    beside = steps(*second())
    identity._known.clear()
    return beside, steps(*second())


def pairs(
    build: Callable[..., Any], others: Mapping[str, list[Any]], together: Mapping[str, Given], skip: set[str]
) -> Iterator[tuple[str, Given, Given]]:
    """Yield, for each argument of a constructor, its name and two sets of arguments that differ in it alone.

    Args:
        build: builds the object, a class or a function with the same arguments.
        others: values to try by argument, where the default does not suggest another.
        together: other arguments, by argument, without which it has no other value.
        skip: arguments that are passed over.
    """
    known = parameters(type(build()))
    for name, argument in known.items():
        if name in skip or argument.default is inspect.Parameter.empty:
            continue
        beside = {key: value for key, value in together.get(name, {}).items() if key in known}
        yield name, *changed(build, name, argument, others, beside)


def changed(
    build: Callable[..., Any], name: str, argument: inspect.Parameter, others: Mapping[str, list[Any]], beside: Given
) -> tuple[Given, Given]:
    """Return arguments of which the constructor accepts both, and which differ in this one."""
    for value in [*others.get(name, ()), *suggested(argument)]:
        for base, other in ((beside, beside | {name: value}), ({}, beside | {name: value}), ({}, {name: value})):
            try:
                build(**other), build(**base)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            if argument.default != value:
                return base, other
    pytest.fail(f"no other value of {name} is known; name one in `others`, and what it needs in `together`")


def suggested(argument: inspect.Parameter) -> Iterator[Any]:
    """Yield other values that an argument's type and default suggest, in the order in which they are tried."""
    default, kind = argument.default, argument.annotation
    choices = [choice for part in (kind, *typing.get_args(kind)) for choice in typing.get_args(part)]
    yield from (choice for choice in choices if isinstance(choice, str) and choice != default)
    if isinstance(default, bool):
        yield not default
    elif isinstance(default, int | float):
        yield from (default + 1, default * 2, default / 2, default - 1, 0.3)
    elif default in ([], None):
        yield from ([0.3], 3, [2.5, 3.5])
    elif isinstance(default, list):
        yield [value + 0.25 for value in default if isinstance(value, int | float)] or default[::-1]
