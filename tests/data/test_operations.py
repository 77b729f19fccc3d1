import pytest
import torch

from arith_lightning.data import SingleModuleTask
from arith_lightning.data.operations import OPERATIONS, Moments
from arith_lightning.streams import Purpose, Stream

FAR, MIDDLE, SMALL = [20.0, 40.0], [2.0, 6.0], [0.2, 2.0]
TABLE = [  # extrapolation ranges with equal thresholds; add = sub, mul and div at epsilon 1e-5, then at 1e-4
    ([FAR, [-40.0, -20.0]], (3.666667e-7, 3.484410e-4, 4.666573e-10), (3.666667e-5, 3.484096e-2, 4.665733e-8)),
    (
        [MIDDLE, [-6.0, -2.0], [[-6.0, -2.0], [2.0, 6.0]]],
        (6.666667e-9, 1.201766e-7, 5.777662e-10),
        (6.666667e-7, 1.201658e-5, 5.776622e-8),
    ),
    ([[-6.1, -1.2]], (5.729167e-9, 9.392088e-8, 8.373239e-10), (5.729167e-7, 9.391243e-6, 8.371732e-8)),
    ([[1.2, 6.0]], (5.568000e-9, 8.856487e-8, 8.266501e-10), (5.568000e-7, 8.855690e-6, 8.265014e-8)),
    ([SMALL, [-2.0, -0.2]], (5.380000e-10, 8.761512e-10, 1.479970e-9), (5.380000e-8, 8.760724e-8, 1.479704e-7)),
]
ROWS = [
    (name, extrapolation, epsilon, value)
    for ranges, *columns in TABLE
    for extrapolation in ranges
    for epsilon, (linear, mul, div) in zip((1e-5, 1e-4), columns, strict=True)
    for name, value in (("add", linear), ("sub", linear), ("mul", mul), ("div", div))
]


@pytest.mark.parametrize(("name", "extrapolation", "epsilon", "expected"), ROWS)
def test_the_table_of_thresholds(name, extrapolation, epsilon, expected):
    data = SingleModuleTask(name, extrapolation=extrapolation, epsilon=epsilon)
    assert data.threshold(data.columns()).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("extrapolation", "ten", "hundred"),
    [(MIDDLE, 1.613333e-5, 1.601333e-3), (FAR, 9.033333e-4, 9.003333e-2), (SMALL, 1.237e-6, 1.2127e-4)],
)
@pytest.mark.parametrize("name", ["add", "sub"])
def test_every_distractor_adds_to_a_sum_s_threshold(name, extrapolation, ten, hundred):
    for inputs, expected in ((10, ten), (100, hundred)):
        data = SingleModuleTask(name, extrapolation=extrapolation, epsilon=1e-4, in_features=inputs)
        assert data.threshold(data.columns()).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("extrapolation", [MIDDLE, [-6.0, -2.0], SMALL])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_thresholds_agree_with_a_simulation_of_the_epsilon_perfect_model(name, extrapolation):
    epsilon, inputs = 1e-5, 10
    data = SingleModuleTask(name, extrapolation=extrapolation, epsilon=epsilon, in_features=inputs)
    x, y = data.draw(Stream(1, Purpose.TRAINING, dtype=torch.float64), data.columns(), "extrapolation", 400_000)
    if name in ("add", "sub"):
        error = epsilon * x.abs().sum(0)
    else:
        factor = (1 - epsilon) ** 2 if name == "mul" else (1 - epsilon) / (1 + epsilon)
        error = y * (factor * (1 - epsilon * x[2:].abs()).prod(0) - 1)
    assert data.threshold(data.columns()).item() == pytest.approx(error.square().mean().item(), rel=0.01)


def test_small_epsilon_does_not_cancel():
    """The published float64 formula (f - 1)^2 loses all digits here; the threshold must not."""
    data = SingleModuleTask("mul", epsilon=1e-12, in_features=2)
    assert data.threshold(data.columns()).item() == pytest.approx(4e-24 * (52 / 3) ** 2, rel=1e-9)


@pytest.mark.parametrize(
    ("intervals", "absolute", "square", "inverse_square"),
    [
        ([[2.0, 6.0]], 4.0, 52 / 3, 1 / 12),
        ([[-6.0, -2.0]], 4.0, 52 / 3, 1 / 12),
        ([[-6.0, -2.0], [2.0, 6.0]], 4.0, 52 / 3, 1 / 12),
        ([[-1.0, 3.0]], 1.25, 7 / 3, float("inf")),
        ([[1.0, 2.0], [2.0, 4.0]], 2.25, (7 / 3 + 28 / 3) / 2, (1 / 2 + 1 / 8) / 2),
        ([[0.0, 1.0]], 0.5, 1 / 3, float("inf")),
    ],
)
def test_moments(intervals, absolute, square, inverse_square):
    moments = Moments.of(torch.tensor(intervals))
    assert tuple(m.item() for m in moments) == pytest.approx((absolute, square, inverse_square), rel=1e-12)
