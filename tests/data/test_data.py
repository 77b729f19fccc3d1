import math
from pathlib import Path

import pytest
import torch
import yaml

from arith_lightning.data import OPERATIONS, IntegerParity, IntegerSeries, SingleModuleTask
from arith_lightning.data.operations import Moments, operation
from arith_lightning.streams import Purpose, Stream

PUBLISHED = yaml.safe_load((Path(__file__).parents[2] / "configs" / "single_module.yaml").read_text())

FAR, MIDDLE, SMALL = [20.0, 40.0], [2.0, 6.0], [0.2, 2.0]
THRESHOLDS = [
    ("add", FAR, 1e-5, 3.666667e-7),
    ("sub", MIDDLE, 1e-5, 6.666667e-9),
    ("add", [-6.1, -1.2], 1e-5, 5.729167e-9),
    ("add", [1.2, 6.0], 1e-5, 5.568e-9),
    ("add", SMALL, 1e-5, 5.38e-10),
    ("mul", FAR, 1e-5, 3.484410e-4),
    ("mul", MIDDLE, 1e-5, 1.201766e-7),
    ("mul", [[-6.0, -2.0], [2.0, 6.0]], 1e-5, 1.201766e-7),
    ("mul", [-6.1, -1.2], 1e-5, 9.392088e-8),
    ("mul", [1.2, 6.0], 1e-5, 8.856487e-8),
    ("mul", SMALL, 1e-5, 8.761512e-10),
    ("div", FAR, 1e-5, 4.666573e-10),
    ("div", MIDDLE, 1e-5, 5.777662e-10),
    ("div", SMALL, 1e-5, 1.479970e-9),
    ("mul", MIDDLE, 1e-4, 1.201658e-5),
    ("div", MIDDLE, 1e-4, 5.776622e-8),
]


@pytest.mark.parametrize(("name", "extrapolation", "epsilon", "expected"), THRESHOLDS)
def test_thresholds_of_two_inputs(name, extrapolation, epsilon, expected):
    data = SingleModuleTask(name, extrapolation=extrapolation, epsilon=epsilon)
    assert data.threshold(data.columns()).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("inputs", "extrapolation", "expected"),
    [(10, MIDDLE, 1.613333e-5), (100, MIDDLE, 1.601333e-3), (10, FAR, 9.033333e-4), (10, SMALL, 1.237e-6)],
)
def test_thresholds_with_distractors(inputs, extrapolation, expected):
    data = SingleModuleTask("add", extrapolation=extrapolation, epsilon=1e-4, in_features=inputs)
    assert data.threshold(data.columns()).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["mul", "div"])
def test_threshold_agrees_with_simulation(name):
    data = SingleModuleTask(name, extrapolation=MIDDLE, epsilon=1e-3, in_features=10)
    x, y = data.draw(Stream(0, Purpose.TRAINING, dtype=torch.float64), data.columns(), "extrapolation", 200_000)
    scale = (1 - 1e-3) ** 2 if name == "mul" else (1 - 1e-3) / (1 + 1e-3)
    nearly = y * scale * (1 - 1e-3 * x[2:].abs()).prod(0)
    assert data.threshold(data.columns()).item() == pytest.approx((nearly - y).square().mean().item(), rel=0.01)


def test_moments_of_a_mixture():
    moments = Moments.of(torch.tensor([[-2.0, 2.0], [2.0, 6.0]]))
    expected = [(0 + 4) / 2, (1 + 4) / 2, (4 / 3 + 52 / 3) / 2, (16 / 5 + 1936 / 5) / 2]
    assert [m.item() for m in moments[:4]] == pytest.approx(expected)
    assert moments.inverse_square == torch.inf


@pytest.mark.parametrize("ranges", PUBLISHED["settings"], ids=lambda ranges: str(ranges["interpolation"]))
def test_published_ranges_are_drawn_from_end_to_end(ranges):
    data = SingleModuleTask("add", **ranges)
    for split in ("interpolation", "extrapolation"):
        x, y = data.evaluation_set(split)
        rows = data.columns()[split]
        inside = torch.stack([(x >= low - 1e-6) & (x <= high + 1e-6) for low, high in rows])
        assert inside.any(0).all()
        assert x.min() < rows.min() + 0.01 * rows.abs().max()
        assert x.max() > rows.max() - 0.01 * rows.abs().max()
        torch.testing.assert_close(y[0], x[0] + x[1])


def test_mixed_range_uses_both_intervals_equally():
    x, _ = SingleModuleTask(extrapolation=[[-6.0, -2.0], [2.0, 6.0]]).evaluation_set("extrapolation")
    assert 0.48 < (x > 0).double().mean() < 0.52
    assert x.abs().min() >= 2


def test_series_are_the_posted_rows():
    x, y = IntegerSeries("mul").evaluation_set("interpolation")
    assert (x[:, 0].tolist(), x[:, -1].tolist(), x.shape) == ([0, 5], [9995, 10000], (2, 2000))
    x, y = IntegerSeries("add").evaluation_set("extrapolation")
    assert (x[:, 0].tolist(), x[:, -1].tolist(), x.shape) == ([1000, 1000], [1992, 1496], (2, 125))
    assert y[0, :10].tolist() == [2000, 2012, 2024, 2036, 2048, 2060, 2072, 2084, 2096, 2108]


def test_series_judge_the_worst_row():
    truth = torch.tensor([[100.0, 1000.0]])
    assert IntegerSeries().judge(truth + torch.tensor([[1.0, 1.0]]), truth).item() == pytest.approx(0.01)


@pytest.mark.parametrize(("wrong", "expected"), [(0, 0.0), (1, 0.1), (10, 1.0)])
def test_parity_judges_the_share_of_wrong_integers(wrong, expected):
    data = IntegerParity(10, 10)
    _, y = data.evaluation_set("extrapolation")
    prediction = y.clone()
    prediction[0, :wrong] = 1 - prediction[0, :wrong]
    assert data.judge(prediction, y).item() == pytest.approx(expected)
    assert data.judge(torch.full_like(y, torch.nan), y).item() == 1.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SingleModuleTask("modulo"), "unknown operation 'modulo'; expected one of add, sub, mul, div"),
        (lambda: SingleModuleTask(interpolation=[2.0, 1.0]), "interpolation must have finite low < high"),
        (lambda: SingleModuleTask(extrapolation=[1.0, 2.0, 3.0]), r"must be \[low, high\]"),
        (lambda: SingleModuleTask(extrapolation=[1.0, float("nan")]), "finite"),
        (lambda: SingleModuleTask("div", extrapolation=[-1.0, 1.0]), "finite error .* keep 0 out of divisors"),
        (lambda: SingleModuleTask(in_features=1), "in_features must be at least 2"),
        (lambda: SingleModuleTask(epsilon=0.0), r"epsilon must lie in \(0, 1\)"),
        (lambda: SingleModuleTask(batch_size=0), "batch_size must be positive; got 0"),
        (lambda: IntegerSeries(tolerance=0.0), "tolerance must be positive"),
        (lambda: IntegerParity(train_end=1), r"train_end must lie in \[2, 2\^24\]"),
    ],
)
def test_wrong_data_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


RESULTS = {"add": 5.0, "sub": -1.0, "mul": 6.0, "div": 2 / 3, "square": 4.0, "root": math.sqrt(2), "reciprocal": 0.5}


@pytest.mark.parametrize(("name", "expected"), RESULTS.items())
def test_operations(name, expected):
    assert operation(name).function(torch.tensor(2.0), torch.tensor(3.0)).item() == pytest.approx(expected)
    assert set(OPERATIONS) == set(RESULTS)


def test_a_decorrelated_series_has_the_same_numbers_in_another_order():
    posted, mixed = (IntegerSeries("sub", decorrelated=d).evaluation_set("interpolation") for d in (False, True))
    assert torch.equal(posted[0].sort(-1).values, mixed[0].sort(-1).values)
    correlation = [torch.corrcoef(x)[0, 1].abs().item() for x, _ in (posted, mixed)]
    assert correlation[0] == pytest.approx(1)
    assert correlation[1] < 0.05
    assert torch.equal(mixed[1], mixed[0][:1] - mixed[0][1:])


def test_an_error_is_relative_to_large_targets_and_absolute_for_zero():
    judge = IntegerSeries("sub").judge
    assert judge(torch.tensor([202.0, 0.25]), torch.tensor([200.0, 0.0])) == 0.25
    assert judge(torch.tensor([220.0, 0.05]), torch.tensor([200.0, 0.0])).item() == pytest.approx(0.1)


@pytest.mark.parametrize("inputs", [2, 5])
@pytest.mark.parametrize("name", ["square", "root"])
def test_thresholds_of_powers_are_those_of_a_simulated_solution(name, inputs):
    data = SingleModuleTask(name, [1, 2], [2, 6], in_features=inputs, epsilon=0.01)
    x, y = data.evaluation_set("extrapolation")
    exponent = {"square": 2.0, "root": 0.5}[name]
    near = (0.99 * x[0]) ** exponent * (1 - 0.01 * x[1:].abs()).prod(0)
    simulated = (near - y[0]).square().mean().item()
    assert data.threshold(data.columns()).item() == pytest.approx(simulated, rel=0.05)


def test_a_root_of_negative_numbers_is_refused():
    with pytest.raises(ValueError, match="finite error"):
        SingleModuleTask("root", [1, 2], [-2, 6])
