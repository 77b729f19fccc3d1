import math

import pytest
import torch

from arith_lightning.architectures import NMU, RealNPULayer
from arith_lightning.config import experiment
from arith_lightning.data import OperandTask, SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream

NEGATIVE, POSITIVE = [-6.0, -2.0], [2.0, 6.0]
SIGNED_PAIRS = {
    "U[-2,-0.1] / U[0.1,2]": (((-2, -0.1), (0.1, 2)), ((-6, -2), (2, 6))),
    "U[0.1,2] / U[-2,-0.1]": (((0.1, 2), (-2, -0.1)), ((2, 6), (-6, -2))),
    "U[-2,-1] / U[1,2]": (((-2, -1), (1, 2)), ((-6, -2), (2, 6))),
    "U[1,2] / U[-2,-1]": (((1, 2), (-2, -1)), ((2, 6), (-6, -2))),
}
"""Published ranges of the first and the second operand, interpolation and extrapolation."""
NORMAL_PAIRS = {
    "N(-1, 3)": (((-5, 10), (-1.0, 3.0)), ((-15, -5), (-10.0, 3.0))),
    "N(1, 3)": (((-10, 5), (1.0, 3.0)), ((5, 15), (10.0, 3.0))),
    "N(0, 1)": (((-5, 5), (0.0, 1.0)), ((5, 15), (10.0, 1.0))),
}
"""Published truncated normal distributions, interval and (mean, std), interpolation and extrapolation."""


def signed(operation: str = "div", **options: object) -> OperandTask:
    return OperandTask(
        operation,
        [-2.0, -0.1],
        NEGATIVE,
        second_interpolation=[0.1, 2.0],
        second_extrapolation=POSITIVE,
        **options,
    )


@pytest.mark.parametrize("inputs", [2, 5])
def test_each_operand_has_its_own_range(inputs):
    x, y = signed(in_features=inputs).evaluation_set("extrapolation")
    assert x.shape == (inputs, 10_000)
    assert ((x[0::2] >= -6) & (x[0::2] < -2)).all()
    assert ((x[1::2] >= 2) & (x[1::2] < 6)).all()
    torch.testing.assert_close(y[0], x[0] / x[1])
    assert x[:2].abs().min() < 2.01
    assert x[:2].abs().max() > 5.99


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div", "reciprocal", "square"])
@pytest.mark.parametrize("inputs", [2, 5])
def test_the_threshold_of_two_ranges_is_that_of_a_simulated_solution(operation, inputs):
    eps = 1e-3
    data = OperandTask(
        operation,
        [-2, -1],
        [-6, -2],
        inputs,
        eps,
        second_interpolation=[0.1, 2],
        second_extrapolation=[0.5, 2],
    )
    stream = Stream(0, Purpose.TRAINING, dtype=torch.float64)
    x, y = data.draw(stream, data.columns(), "extrapolation", 200_000)
    if operation in ("add", "sub"):
        difference = eps * x.abs().sum(0)
    else:
        operands, exponent = {
            "mul": (2, 2 * math.log1p(-eps)),
            "div": (2, math.log1p(-eps) - math.log1p(eps)),
            "reciprocal": (1, -math.log1p(eps)),
            "square": (1, 2 * math.log1p(-eps)),
        }[operation]
        difference = y[0] * (math.exp(exponent) * (1 - eps * x[operands:].abs()).prod(0) - 1)
    assert data.threshold(data.columns()).item() == pytest.approx(difference.square().mean().item(), rel=0.01)


def test_a_threshold_by_hand():
    # E[x^2] of U[-6, -2] is 52/3, E[1/x^2] of U[1, 2] is 1/2
    data = OperandTask("div", [-2, -1], NEGATIVE, second_interpolation=[1, 2], second_extrapolation=[1, 2])
    factor = (1 - 1e-5) / (1 + 1e-5) - 1
    assert data.threshold(data.columns()).item() == pytest.approx(52 / 3 / 2 * factor**2, rel=1e-9)


@pytest.mark.parametrize("name", SIGNED_PAIRS)
def test_published_pairs_of_signs(name):
    interpolation, extrapolation = SIGNED_PAIRS[name]
    data = OperandTask(
        "div",
        interpolation[0],
        extrapolation[0],
        second_interpolation=interpolation[1],
        second_extrapolation=extrapolation[1],
    )
    for split in ("interpolation", "extrapolation"):
        x, _ = data.evaluation_set(split)
        assert (x[0].sign() == -x[1].sign()).all()


@pytest.mark.parametrize("name", NORMAL_PAIRS)
def test_published_normal_distributions(name):
    (inside, inner), (outside, outer) = NORMAL_PAIRS[name]
    data = OperandTask(
        "div",
        inside,
        outside,
        distribution="truncated_normal",
        interpolation_shape=inner,
        extrapolation_shape=outer,
    )
    x, _ = data.evaluation_set("extrapolation")
    assert x.mean().item() == pytest.approx(outer[0], abs=0.1)
    assert outside[0] <= x.min() < x.max() <= outside[1]
    assert 0 < data.threshold(data.columns()) < 1e-6


def test_benford_numbers_are_judged_by_their_own_moments():
    data = OperandTask("add", [10, 100], [100, 1000], distribution="benford")
    mean, square = 900 / math.log(10), (1e6 - 1e4) / (2 * math.log(10))
    assert data.threshold(data.columns()).item() == pytest.approx(1e-10 * (2 * square + 2 * mean**2), rel=1e-9)


@pytest.mark.parametrize(("operation", "inputs"), [("reciprocal", 1), ("reciprocal", 2), ("div", 2)])
def test_small_divisors_are_never_zero(operation, inputs):
    data = SingleModuleTask(operation, [0, 1e-4], [0, 1e-4], inputs, threshold=1.0)
    assert data.threshold(data.columns()) == 1
    batches = [data.training_batch(step) for step in range(200)]
    x = torch.cat([x for x, _ in batches])
    assert x.min() > 0
    assert x.max() <= 1e-4
    assert (x > 9.99e-5).any()
    assert all(y.isfinite().all() for _, y in batches)
    nearest = SingleModuleTask("reciprocal", [0, 1e-4], [0, 1e-4], 1, threshold=1.0).columns()["interpolation"][0]
    assert (nearest.float()[0] + (nearest[1] - nearest[0]).float() * 2.0**-24 * (2**24 - 1)) > 0


def test_rows_are_gone_through_in_order_over_and_over():
    data = OperandTask(batch_size=16, rows=48)
    first = [data.training_batch(step)[0] for step in range(3)]
    assert len(torch.cat(first).unique(dim=0)) == 48
    for step in (3, 4, 5, 300):
        assert torch.equal(data.training_batch(step)[0], first[step % 3])
    other = OperandTask(batch_size=16, rows=48, seed=1)
    assert not torch.equal(other.training_batch(0)[0], first[0])
    fresh = SingleModuleTask(batch_size=16)
    assert torch.equal(fresh.training_batch(2)[0], first[2])
    assert not torch.equal(fresh.training_batch(3)[0], first[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"second_interpolation": [1.0, 2.0]}, "needs both second_interpolation and second_extrapolation"),
        ({"rows": 100}, "rows must be a positive multiple of batch_size; got 100 in batches of 128; try 128"),
        ({"threshold": 0.0}, "threshold must be positive and finite"),
        ({"threshold": float("nan")}, "threshold must be positive and finite"),
        ({"operation": "reciprocal", "in_features": 0}, "in_features must be at least 1"),
        ({"operation": "reciprocal", "extrapolation": [0.0, 1.0]}, "or give a threshold"),
        ({"distribution": "benford", "interpolation": [-1.0, 1.0]}, "Benford"),
        ({"distribution": "truncated_normal"}, "interpolation_shape must be"),
        ({"interpolation_shape": [1.0]}, "interpolation_shape must be left out"),
    ],
)
def test_wrong_tasks_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OperandTask(**options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"second_interpolation": [-2.0, -1.0], "second_extrapolation": [-6.0, -2.0], "rows": 256},
        {
            "distribution": "truncated_normal",
            "interpolation_shape": [1.5, 1.0],
            "extrapolation_shape": [4.0, 1.0],
        },
    ],
)
def test_compiled_steps_equal_eager_ones(options):
    data = OperandTask("mul", batch_size=32, **options)
    population = Population(NMU(learning_rate=0.01), data, seeds=range(5))
    compiled, eager = (
        population.dynamics.run(population.live.state, population.live.columns, 0, 19, compile)["parameters"]
        for compile in (True, False)
    )
    torch.testing.assert_close(compiled, eager, rtol=1e-5, atol=1e-6)


def gold(weights: list[float]) -> RealNPULayer:
    layer = RealNPULayer(len(weights), 1, gate_start=1.0)
    with torch.no_grad():
        layer.weight_real.copy_(torch.tensor([weights]))
        layer.gate.fill_(1.0)
    return layer


def test_thresholds_of_small_divisors_are_those_of_exact_weights():
    data = experiment(["--config", "configs/units/real_npu_reciprocal_small.yaml"]).data
    x, y = data.evaluation_set("extrapolation")
    error = (gold([-1.0])(x.mT).mT - y).square().mean().item()
    assert data.threshold(data.columns()).item() == pytest.approx(error + 2.0**-23, rel=1e-3)


@pytest.mark.parametrize("operation", ["mul", "div", "reciprocal"])
def test_no_input_is_exactly_zero(operation):
    data = SingleModuleTask(operation, [-2, 2], [NEGATIVE, POSITIVE])
    # a batch in which one of the numbers drawn is 0
    x, y = data.draw(Stream(0, Purpose.TRAINING, 32564), data.columns(), "interpolation", 128)
    assert x.abs().min() == 2**-24
    assert y.isfinite().all()
