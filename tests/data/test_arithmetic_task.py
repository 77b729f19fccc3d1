import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import Stack
from arith_lightning.data import OPERATIONS, ArithmeticTask, FourInputTask
from arith_lightning.data.arithmetic_task import WindowTask, epsilon_perfect
from arith_lightning.data.quadrature import sum_quadrature
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream

MIDDLE, MIXED = [2.0, 6.0], [[-6.0, -2.0], [2.0, 6.0]]


def threshold(**arguments):
    data = ArithmeticTask(**arguments)
    return data.threshold(data.columns()).item()


@pytest.mark.parametrize(
    ("operation", "published", "correct"),
    [
        ("add", 1.478617e-5, 1.6037e-5),
        ("sub", 1.384370e-8, 1.3895e-8),
        ("mul", 0.160011, 0.160599),
        ("div", 4.93805e-12, 5.7972e-12),
        ("square", 0.159474, 0.159958),
        ("root", 8.95526e-9, 1.01035e-8),
    ],
)
def test_thresholds_of_both_windows(operation, published, correct):
    assert threshold(operation=operation, windows="published") == pytest.approx(published, rel=5e-3)
    assert threshold(operation=operation) == pytest.approx(correct, rel=5e-3)


@pytest.mark.parametrize(
    ("arguments", "published"),
    [
        ({"in_features": 4}, 7.10447e-8),
        ({"in_features": 10}, 1.509633e-5),
        ({"in_features": 25}, 6.14344e-4),
        ({"in_features": 50}, 1.003006e-2),
        ({"extrapolation": [-6.0, -2.0]}, 0.1600335),
        ({"extrapolation": MIXED}, 2.307914e-4),
        ({"extrapolation": [0.2, 2.0]}, 9.20448e-4),
        ({"extrapolation": [1.2, 6.0]}, 0.105278),
        ({"extrapolation": [20.0, 40.0]}, 505.5119),
        ({"extrapolation": [-6.1, -1.2]}, 0.1112738),
        ({"subset_ratio": 0.05}, 0.0288477),
        ({"subset_ratio": 0.1}, 0.0758187),
        ({"subset_ratio": 0.5}, 0.0022214),
    ],
)
def test_thresholds_of_published_variations(arguments, published):
    assert threshold(windows="published", **arguments) == pytest.approx(published, rel=5e-3)


@pytest.mark.parametrize(("operation", "published"), [("mul", 2.15698e-6), ("add", 2.66721e-8), ("sub", 2.66449e-8)])
def test_thresholds_of_four_inputs(operation, published):
    data = FourInputTask(operation)
    assert data.threshold({}).item() == pytest.approx(published, rel=2e-3)


def test_sums_and_differences_have_closed_forms():
    # every weight is off by eps: coefficients of a + b are off by -2 on 13 shared inputs, 0 on 26, +2 on 61
    mean, variance = 2 * (61 - 13) * 4, 4 * (61 + 13) * 4 / 3
    assert threshold(operation="add", windows="published") == pytest.approx(1e-10 * (mean**2 + variance), rel=1e-9)
    assert threshold(operation="sub") == pytest.approx(1e-10 * 4 * 26 * 4 / 3, rel=1e-9)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("windows", [((0, 2), (0, 4)), ((0, 3), (2, 5))])
def test_thresholds_agree_with_simulation(operation, windows):
    epsilon = 1e-3
    x = 4 * torch.rand(200_000, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 2
    inside = torch.zeros(2, 6, dtype=torch.float64)
    for row, (first, last) in zip(inside, windows, strict=True):
        row[first:last] = 1
    a, b = (x @ inside.T).unbind(-1)
    near_a, near_b = (x @ (inside * (1 - epsilon) + (1 - inside) * epsilon).T).unbind(-1)
    function = OPERATIONS[operation].function
    simulated = (function(near_a, near_b) - function(a, b)).square().mean().item()
    rows = torch.tensor([MIDDLE], dtype=torch.float64)
    assert epsilon_perfect(OPERATIONS[operation], rows, 6, windows, epsilon) == pytest.approx(simulated, rel=0.01)


@pytest.mark.parametrize(
    ("operation", "interval"), [("reciprocal", [-0.5, 0.0]), ("root", [0.0, 4.0]), ("div", [0.0, 2.0])]
)
def test_thresholds_of_wide_windows_that_reach_zero_agree_with_simulation(operation, interval):
    epsilon, low, high = 1e-4, *interval
    x = low + (high - low) * torch.rand(50_000, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a, b = x[:, :40].sum(1), x[:, 10:50].sum(1)
    near_a, near_b = (s + epsilon * (x.sum(1) - 2 * s) for s in (a, b))
    function = OPERATIONS[operation].function
    simulated = (function(near_a, near_b) - function(a, b)).square().mean().item()
    rows = torch.tensor([interval], dtype=torch.float64)
    found = epsilon_perfect(OPERATIONS[operation], rows, 60, ((0, 40), (10, 50)), epsilon)
    assert found == pytest.approx(simulated, rel=0.03)


def test_the_windows_of_the_power_unit_s_task():
    data = ArithmeticTask("reciprocal", [0.0, 0.5], [-0.5, 0.0], subset_ratio=0.5, overlap_ratio=0.25)
    assert data.windows == ((0, 50), (38, 88))
    x, y = data.evaluation_set("extrapolation")
    torch.testing.assert_close(y[0], 1 / x[:50].sum(0))


@pytest.mark.parametrize("count", [1, 3, 100])
def test_quadrature_has_the_moments_of_a_sum(count):
    nodes, weights = sum_quadrature(torch.tensor(MIXED, dtype=torch.float64), count)
    second, fourth = 52 / 3, (6**5 - 2**5) / 20
    expected = [1, 0, count * second, 0, count * fourth + 3 * count * (count - 1) * second**2]
    moments = [(weights * nodes**k).sum().item() for k in range(5)]
    assert moments == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_published_windows_and_means():
    data = ArithmeticTask("add")
    assert data.windows == ((0, 25), (13, 38))
    for split, mean in (("interpolation", 75), ("extrapolation", 200)):
        x, y = data.evaluation_set(split)
        assert x.shape == (100, 10_000)
        assert y.mean().item() == pytest.approx(mean, rel=0.01)
        torch.testing.assert_close(y[0], x[:25].sum(0) + x[13:38].sum(0))
    x, y = FourInputTask().evaluation_set("extrapolation")
    torch.testing.assert_close(y[0], (x[0] + x[1]) * x.sum(0))
    mixed, _ = ArithmeticTask(extrapolation=MIXED).evaluation_set("extrapolation")
    assert mixed.abs().min() >= 2
    assert mixed.sign().mean().abs() < 0.01


class Moved(WindowTask):
    """The task of ten inputs whose windows start at the fourth input: the same draws, moved by three places."""

    def draw(self, stream, columns, split, size):
        x, y = super().draw(stream, columns, split, size)
        return x.roll(3, 0), y


def test_an_offset_of_the_windows_only_renames_inputs():
    here = ("mul", [1.0, 2.0], MIDDLE, 10, ((0, 4), (2, 6)), ((0, 4), (2, 6)), 1e-5, False, 16, 0)
    ends = []
    for task, places in ((WindowTask(*here), 0), (Moved(*here), 3)):
        x, y = task.draw(Stream(1, Purpose.TRAINING), {}, "interpolation", 16)
        torch.testing.assert_close(y[0], x[places : places + 4].sum(0) * x[places + 2 : places + 6].sum(0))
        module = Stack(10, learning_rate=0.01, penalty_weight=1.0)
        name = "network.0.weight"
        values = {key: p.detach().clone() for key, p in module.named_parameters()}
        values[name] = values[name].roll(places, 1)
        for step in range(5):
            x, y = task.draw(Stream(1, Purpose.TRAINING, step), {}, "interpolation", 16)
            leaves = {key: value.requires_grad_() for key, value in values.items()}
            prediction = functional_call(module, leaves, (x.mT,))
            module.loss(prediction, x.mT, y.mT, torch.tensor(step)).backward()
            values = {key: (leaf - 1e-3 * leaf.grad).detach() for key, leaf in leaves.items()}
        ends.append(values[name].roll(-places, 1))
    torch.testing.assert_close(*ends)


@pytest.mark.parametrize("name", ["NAU", "NAC", "NALU", "NMU", "Linear"])
def test_starts_are_alike_over_inputs(name):
    layer = Stack(100, layers=[name, "NMU"]).network[0]
    starts = torch.stack([layer.initial(Stream(seed, Purpose.INITIALIZATION)).popitem()[1] for seed in range(200)])
    if name == "Linear":
        starts = torch.stack([layer.initial(Stream(s, Purpose.INITIALIZATION))["weight"] for s in range(200)])
    spread = starts.flatten(0, 1).std(0)
    assert ((spread / spread.mean() - 1).abs() < 0.2).all()
    assert (starts.flatten(0, 1).mean(0) - starts.mean()).abs().max() < 5 * spread.mean() / math.sqrt(400)


@pytest.mark.parametrize("shared", [False, True])
def test_a_shared_stream_is_every_member_s(shared, trainer):
    data = ArithmeticTask(in_features=8, batch_size=16, shared_stream=shared)
    population = Population(Stack(8), data, seeds=[3, 5])
    x, y = population.dynamics.draw(population.live.columns, torch.tensor(2), torch.float32)
    assert x.shape == ((8, 16) if shared else (2, 8, 16))
    data.seed = 5
    own, target = data.training_batch(2)
    assert torch.equal(own.mT, x if shared else x[1])
    assert torch.equal(target.mT, y if shared else y[1])
    again, _ = population.dynamics.draw(population.live.columns, torch.tensor(3), torch.float32)
    assert not torch.equal(again, x)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ArithmeticTask, {"subset_ratio": 0.0}, "got 0 inputs each"),
        (ArithmeticTask, {"subset_ratio": 0.8}, "must have an input each and fit .*got 80 inputs.*40 after"),
        (ArithmeticTask, {"subset_ratio": 1.0, "overlap_ratio": 1.0, "windows": "published"}, "got 101 inputs each"),
        (ArithmeticTask, {"overlap_ratio": -0.1}, r"overlap_ratio must lie in \[0, 1\]; got -0.1"),
        (ArithmeticTask, {"overlap_ratio": math.nan}, "overlap_ratio must lie .*got nan"),
        (ArithmeticTask, {"in_features": 0}, "in_features=0"),
        (ArithmeticTask, {"windows": "wrong"}, "windows must be correct or published; got 'wrong'"),
        (ArithmeticTask, {"epsilon": 0.0}, r"epsilon must lie in \(0, 1\); got 0.0"),
        (ArithmeticTask, {"operation": "mod"}, "unknown operation 'mod'"),
        (ArithmeticTask, {"operation": "div", "extrapolation": MIXED}, "finite error .* got inf.*keep 0 out"),
        (FourInputTask, {"operation": "root", "extrapolation": [-6.0, -2.0]}, "finite error .* got inf"),
        (FourInputTask, {"operation": "div", "extrapolation": [0.0, 2.0]}, "finite error .* got inf"),
        (ArithmeticTask, {"operation": "reciprocal", "extrapolation": [-1.0, 2.0]}, "finite error .* got inf"),
        (FourInputTask, {"interpolation": [2.0, 1.0]}, "interpolation must have finite low < high"),
    ],
)
def test_wrong_tasks_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)
