"""Whatever differs in any argument is, beside another in one process, what it is alone."""

import inspect
import typing

import pytest
import torch
from tests.conftest import architectures, datasets, task_for

from arith_lightning.architectures import MLP, NMU, ArithmeticModule
from arith_lightning.architectures.nmu import NMULayer
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population, identity

STEPS = 3
OTHERS = {
    "activation": ["tanh", "gelu"],
    "candidates": [["mul", "add"]],
    "cell": [NMULayer(2, 1)],
    "criterion": ["mean squared error"],
    "distribution": ["truncated_normal"],
    "end": [5],
    "extrapolation": [[3.0, 7.0], [-5.0, -4.0]],
    "gradient_clip_norm": [1e-3],
    "gradient_clip_value": [1e-3],
    "held_out": [2, "train", "selection"],
    "hidden_features": [3],
    "in_features": [4],
    "interpolation": [[1.5, 3.0], [0.5, 1.0]],
    "item_features": [3],
    "layers": [["NAU", "NAU"], ["NMU", "NAU"]],
    "numbers": [[5.0, 6.0]],
    "operation": ["sub", "product", "square", "add", 2],
    "out_features": [2],
    "reader_widths": [[3]],
    "relevant": [3],
    "restart_range": [[-1.0, 1.0]],
    "rows": [256],
    "seed": [7],
    "test_bits": [5],
    "test_range": [[600, 700]],
    "threshold": [0.1],
    "widths": [[3, 5]],
    "windows": ["published", "off_by_one"],
}
"""Values to try for arguments whose default does not suggest another."""
BESIDE = {
    "bit_steps": {"bits": 6, "held_out": None},
    "constant": {"operation": "mul_constant"},
    "doubling_steps": {"draws": 8},
    "alternating": {"optimizer": "rmsprop"},
    "interpolation_shape": {"distribution": "exponential", "extrapolation_shape": [0.5]},
    "extrapolation_shape": {"distribution": "exponential", "interpolation_shape": [0.5]},
    "distribution": {"interpolation_shape": [1.0, 1.0], "extrapolation_shape": [1.0, 1.0]},
    "item_features": {"reader_widths": [3]},
    "momentum": {"optimizer": "sgd"},
    "second_interpolation": {"second_extrapolation": [3.0, 4.0]},
    "second_extrapolation": {"second_interpolation": [1.0, 2.0]},
    "schedule": {"schedule_steps": 5, "schedule_end": 0.5},
    "schedule_end": {"schedule": "linear", "schedule_steps": 5},
    "schedule_steps": {"schedule": "linear"},
    "penalty_start": {"penalty_end": 3},
    "smoothing": {"optimizer": "rmsprop"},
}
"""Arguments without which another has no other value."""


def candidates(name, parameter):
    """Other values of an argument, in the order in which they are tried."""
    default, kind = parameter.default, parameter.annotation
    choices = [c for part in (kind, *typing.get_args(kind)) for c in typing.get_args(part)]
    yield from OTHERS.get(name, ())
    yield from (choice for choice in choices if isinstance(choice, str) and choice != default)
    if isinstance(default, bool):
        yield not default
    elif isinstance(default, int | float):
        yield from (default + 1, default * 2, default / 2, default - 1, 0.3)
    elif default in ([], None):
        yield from ([0.3], 3, [2.5, 3.5])
    elif isinstance(default, list):
        yield [value + 0.25 for value in default]


def changed(kind, name, parameter):
    """A pair of keyword arguments that differ in this one, both accepted."""
    beside = {k: v for k, v in BESIDE.get(name, {}).items() if k in arguments(kind)}
    for value in candidates(name, parameter):
        for base, other in ((beside, beside | {name: value}), ({}, beside | {name: value}), ({}, {name: value})):
            try:
                kind(**other)
                kind(**base)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            if parameter.default != value:
                return base, other
    pytest.fail(f"{kind.__name__}.{name}: no other value is known; add one to OTHERS")


def arguments(kind):
    given = [inspect.signature(part).parameters for part in (kind, ArithmeticModule) if issubclass(kind, part)]
    found = {name: parameter for part in reversed(given) for name, parameter in part.items()}
    return {k: v for k, v in found.items() if k != "network" and v.kind is not inspect.Parameter.VAR_KEYWORD}


def steps(module, data):
    """What some steps make of two members."""
    population = Population(module, data, seeds=[0, 5])
    return population.dynamics.run(population.live.state, population.live.columns, 0, STEPS, False)["parameters"]


def beside_and_alone(first, second):
    """The second's numbers after the first has trained in the same process, and without it."""
    identity._known.clear()
    steps(*first())
    beside = steps(*second())
    identity._known.clear()
    return beside, steps(*second())


@pytest.mark.parametrize("kind", datasets())
def test_a_dataset_beside_one_that_differs_in_an_argument_is_itself(kind):
    for name, parameter in arguments(kind).items():
        base, other = changed(kind, name, parameter)

        def built(given):
            data = kind(**given)
            return MLP(data.in_features, data.out_features, depth=1, width=4), data

        beside, alone = beside_and_alone(lambda: built(base), lambda: built(other))  # noqa: B023
        assert torch.equal(beside, alone), (name, base, other)


@pytest.mark.parametrize("kind", architectures())
def test_an_architecture_beside_one_that_differs_in_an_argument_is_itself(kind):
    own = inspect.signature(kind).parameters if kind not in (NMU, MLP) else arguments(kind)
    for name, parameter in arguments(kind).items():
        if name not in own or name in ("in_features", "out_features") or (name == "streams" and kind is MLP):
            continue  # sizes follow the data
        base, other = changed(kind, name, parameter)

        def built(given):
            module = kind(**{"learning_rate": 0.01} | given)
            return module, task_for(kind)

        beside, alone = beside_and_alone(lambda: built(base), lambda: built(other))  # noqa: B023
        assert torch.equal(beside, alone), (name, base, other)


class Bent(SingleModuleTask):
    """A newcomer's dataset, whose draw uses what it likes to hold."""

    def __init__(self, held):
        super().__init__(batch_size=8)
        self._held = held

    def draw(self, *arguments):
        x, _ = super().draw(*arguments)
        held = self._held() if callable(self._held) else self._held
        return x, (x.sum(0) * torch.as_tensor(held, dtype=x.dtype).sum()).unsqueeze(0)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (torch.tensor([1.0]), torch.tensor([3.0])),
        ([1.0, 2.0], [1.0, 5.0]),
        ((1, 2), (1, 3)),
        (torch.tensor([2.0]).numpy(), torch.tensor([5.0]).numpy()),
        (1, 4.0),
        (lambda: 1.0, lambda: 6.0),
        ([[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]][1:]),
    ],
)
def test_whatever_a_dataset_holds_tells_it_from_another(one, two):
    beside, alone = beside_and_alone(
        lambda: (MLP(depth=1, width=3), Bent(one)), lambda: (MLP(depth=1, width=3), Bent(two))
    )
    assert torch.equal(beside, alone)


def test_equal_things_share_their_steps_and_a_hook_parts_them():
    first, second = (Population(NMU(), SingleModuleTask(interpolation=[k, 5]), [0]) for k in (1, 2))
    assert first.dynamics is second.dynamics
    hooked = NMU()
    hooked.network.register_forward_hook(lambda module, arguments, output: 2 * output)
    assert Population(hooked, SingleModuleTask(), [0]).dynamics is not first.dynamics


def test_what_is_changed_later_changes_no_other_population():
    data = Bent([1.0, 2.0])
    first = Population(MLP(depth=1, width=3), data, [0])
    data._held.append(3.0)
    again = Population(MLP(depth=1, width=3), Bent([1.0, 2.0]), [0])
    assert again.dynamics is first.dynamics
    assert first.dynamics.data._held == [1.0, 2.0]
