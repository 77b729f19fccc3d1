import inspect

import pytest
import torch
from torch import nn

from arith_lightning import architectures
from arith_lightning.architectures import GNALU, MLP, NALU, NAU, NMU, ArithmeticModule, NMULayer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -1.0}, "learning_rate must be finite and not negative; got -1.0"),
        ({"momentum": 0.5}, "only sgd takes a momentum; got 0.5"),
        ({"smoothing": 0.9}, "only rmsprop takes a smoothing other than 0.99; got 0.9"),
        ({"smoothing": 1.0, "optimizer": "rmsprop"}, "smoothing must lie in .0, 1.; got 1.0"),
        ({"schedule": "exponential"}, "cannot end at zero"),
        ({"penalty_start": 5, "penalty_end": 4}, "penalty_end; got 4; choose at least penalty_start=5"),
        ({"gradient_clip_norm": 0.0}, "gradient_clip_norm must be positive"),
    ],
)
def test_wrong_hyperparameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NMU(**arguments)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.0), (10, 0.0), (15, 0.05), (20, 0.1), (99, 0.1)])
def test_penalty_ramp(step, expected):
    module = NAU(penalty_weight=0.2, penalty_start=10, penalty_end=20)
    with torch.no_grad():
        module.network.weight.fill_(0.5)
    zero = torch.zeros(1, 1)
    assert module.loss(zero, zero, zero, torch.tensor(step)).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "weight"), [("NMU", 10.0), ("NAU", 0.01), ("sNMU", 10.0), ("LinearNAC", 10.0), ("NAC", 0.0), ("NALU", 0.0)]
)
def test_published_penalties_are_the_defaults(kind, weight):
    module = getattr(architectures, kind)()
    assert module.learning_rate.item() == pytest.approx(1e-3)
    schedule = [module.penalty_schedule(torch.tensor(step)).item() for step in (20_000, 27_500, 35_000, 50_000)]
    assert schedule == pytest.approx([0.0, weight / 2, weight, weight])


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ("constant", 50, 1.0),
        ("linear", 50, 0.55),
        ("cosine", 50, 0.55),
        ("cosine", 200, 0.1),
        ("exponential", 50, 0.1**0.5),
        ("exponential", 100, 0.1),
        ("warmup", 5, 0.5),
        ("warmup", 10, 1.0),
        ("warmup", 55, 0.55),
        ("warmup", 200, 0.1),
    ],
)
def test_schedules(schedule, step, expected):
    module = NMU(schedule=schedule, schedule_steps=100, schedule_end=0.1)
    assert module.learning_rate_factor(torch.tensor(step)).item() == pytest.approx(expected)


def test_seed_decides_the_start():
    assert torch.equal(NMU(seed=4).network.weight, NMU(seed=4).network.weight)
    assert not torch.equal(NMU(seed=4).network.weight, NMU(seed=5).network.weight)


def test_mlp_has_the_depth_and_width_asked_for():
    shapes = [tuple(p.shape) for p in MLP(in_features=3, depth=2, width=5).parameters()]
    assert shapes == [(5, 3), (5,), (5, 5), (5,), (1, 5), (1,)]


class Raised(ArithmeticModule):
    """Starts with what it sets after the other constructors."""

    def __init__(self, floor: float = 0.25, **training):
        super().__init__(NMULayer(2, 1), **training)
        self.floor = floor

    def initial(self, stream):
        return {name: value + self.floor for name, value in super().initial(stream).items()}


def test_a_start_may_use_what_any_constructor_sets():
    assert torch.equal(Raised(0.5, seed=3).network.weight, NMU(seed=3).network.weight + 0.5)
    assert torch.equal(Raised(0.5).again(seed=3).network.weight, Raised(0.5, seed=3).network.weight)


def test_a_class_shows_the_arguments_of_its_constructor():
    assert list(inspect.signature(Raised).parameters) == ["floor", "training"]
    assert inspect.signature(GNALU) == inspect.signature(NALU)


class Forgetful(NMULayer):
    def __init__(self):
        super().__init__(2, 1)
        self.bias = nn.Parameter(torch.zeros(1))


@pytest.mark.parametrize(
    ("network", "names"), [(nn.Linear(2, 1), "network.bias, network.weight"), (Forgetful(), "network.bias")]
)
def test_a_parameter_that_no_layer_draws_is_refused(network, names):
    with pytest.raises(ValueError, match=rf"must be drawn by a layer, and nothing else; got {names}; put it into an"):
        ArithmeticModule(network)
