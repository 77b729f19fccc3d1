import math

import pytest
import torch

from arith_lightning.data import FourFunctions


def test_functions_on_the_published_grid():
    x, y = FourFunctions().evaluation_set("extrapolation")
    assert (x.shape, y.shape) == ((2, 41 * 41), (4, 41 * 41))
    assert x[:, 0].tolist() == pytest.approx([-4.1, -4.1])
    assert x[:, -1].tolist() == pytest.approx([3.9, 3.9])
    assert y[:, 0].tolist() == pytest.approx([-8.2, 16.81, 1.0, 0.0])
    assert y[:, -2].tolist() == pytest.approx([7.6, 3.9 * 3.7, 3.9 / 3.7, math.sqrt(3.9)], rel=1e-5)
    assert x.abs().min() > 0.09


def test_training_numbers_are_positive():
    x, y = FourFunctions().training_batch(0)
    assert (x.shape, y.shape) == ((100, 2), (100, 4))
    assert 0.1 <= x.min() < 0.2 < 1.9 < x.max() < 2


@pytest.mark.parametrize(("output", "expected"), [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)])
def test_the_worst_function_is_judged(output, expected):
    data = FourFunctions()
    _, y = data.evaluation_set("extrapolation")
    wrong = y.clone()
    wrong[output] += 0.5
    assert data.judge(wrong, y).item() == pytest.approx(expected)


@pytest.mark.parametrize("output", range(4))
def test_a_chosen_function_is_judged_alone(output):
    name = ("add", "mul", "div", "root")[output]
    data = FourFunctions(operation=name)
    _, y = data.evaluation_set("extrapolation")
    wrong = y + torch.tensor([1.0, 2.0, 3.0, 4.0]).unsqueeze(-1)
    assert data.judge(wrong, y).item() == pytest.approx(output + 1, rel=1e-5)
    assert data.criterion.name == f"mean absolute error of {name}"


def test_the_root_is_judged_where_x_is_positive():
    data = FourFunctions()
    _, y = data.evaluation_set("extrapolation")
    wrong = y.clone()
    wrong[3] = torch.where(y[3] > 0, y[3] - 0.1, 100.0)
    assert data.judge(wrong, y).item() == pytest.approx(0.1, rel=1e-5)
    assert not data.judge(wrong * torch.nan, y) < 1e9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interpolation": [0.0, 2.0]}, "interpolation must be one interval of positive numbers"),
        ({"interpolation": [[0.1, 1.0], [2.0, 3.0]]}, "one interval"),
        ({"operation": "sub"}, "operation must be one of add, mul, div, root, or null; got 'sub'"),
        ({"tolerance": float("nan")}, "tolerance must be positive and finite"),
    ],
)
def test_wrong_tasks_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FourFunctions(**options)
