import pytest
import torch

from arith_lightning.architectures import MLP
from arith_lightning.architectures.layer import load
from arith_lightning.data import ScaledInterpolation
from arith_lightning.data.scaled_interpolation import KNOTS, VALUES, curve
from arith_lightning.streams import Purpose, Stream


def batch(data, step, size):
    return data.draw(Stream(0, Purpose.TRAINING, step, torch.float64), {}, "interpolation", size)


def test_the_curve_goes_through_its_knots_and_straight_between_them():
    x = torch.tensor([255, 40_000, 200_000, (255 + 40_000) / 2, 120_000], dtype=torch.float64)
    expected = [*VALUES, (0.1, 0.25, 0.65), (0.6, 0.25, 0.15)]
    torch.testing.assert_close(curve(x).mT, torch.tensor(expected, dtype=torch.float64))


def test_the_outputs_are_shares():
    _, y = ScaledInterpolation().evaluation_set("extrapolation")
    assert (y >= 0).all()
    torch.testing.assert_close(y.sum(0), torch.ones(y.shape[1]))


def test_training_inputs_are_fresh_integers_of_the_whole_range():
    data = ScaledInterpolation(scaling="none")
    (x, y), (later, _) = batch(data, 0, 5000), batch(data, 1, 5000)
    assert not torch.equal(x, later)
    assert torch.equal(x, x.round())
    assert 255 <= x.min() < 400
    assert 199_900 < x.max() <= 200_000
    assert x.mean().item() == pytest.approx((255 + 200_000) / 2, rel=0.02)
    assert torch.equal(y, curve(x[0]))


def test_unit_scaling_changes_the_inputs_only():
    (raw, y), (unit, same) = (batch(ScaledInterpolation(scaling), 4, 1000) for scaling in ("none", "unit"))
    assert torch.equal(y, same)
    torch.testing.assert_close((unit + 1) / 2 * (200_000 - 255) + 255, raw)
    x, _ = ScaledInterpolation().evaluation_set("extrapolation")
    assert (x.min().item(), x.max().item()) == (-1, 1)


def test_the_grid_is_dense_and_holds_the_knots():
    x, y = ScaledInterpolation(scaling="none").evaluation_set("extrapolation")
    assert set(KNOTS) <= set(x[0].tolist())
    assert x[0].sort().values.diff().max() < 21
    torch.testing.assert_close(y[:, -3:].mT, torch.tensor(VALUES))


def test_the_worst_output_at_the_worst_number_decides():
    data = ScaledInterpolation()
    _, y = data.evaluation_set("extrapolation")
    prediction = y.clone()
    prediction[1, 77] += 0.021
    assert data.judge(prediction, y).item() == pytest.approx(0.021, abs=1e-6)
    assert data.judge(prediction, y) > data.threshold({})
    assert not data.judge(torch.full_like(y, torch.nan), y) < data.threshold({})


def test_the_best_constant_is_wrong_by_a_half():
    data = ScaledInterpolation()
    _, y = data.evaluation_set("extrapolation")
    assert data.judge(((y.amax(1) + y.amin(1)) / 2).unsqueeze(1).expand_as(y), y).item() == pytest.approx(0.5)
    _, y = data.evaluation_set("interpolation")
    assert (y - y.mean(1, keepdim=True)).square().mean().item() == pytest.approx(0.0527, abs=5e-4)


def test_two_rectified_units_hold_the_curve():
    """The curve is its first segment, continued, plus a change of slope at the middle knot."""
    data = ScaledInterpolation()
    module = MLP(in_features=1, out_features=3, widths=[2])
    low, middle, high = (2 * (torch.tensor(KNOTS) - 255) / (200_000 - 255) - 1).tolist()
    values = torch.tensor(VALUES)
    first, second = (values[1] - values[0]) / (middle - low), (values[2] - values[1]) / (high - middle)
    hidden, output = module.layers()
    load(module, {f"{hidden}.weight": torch.ones(2, 1), f"{hidden}.bias": torch.tensor([-low, -middle])})
    load(module, {f"{output}.weight": torch.stack([first, second - first], 1), f"{output}.bias": values[0]})
    x, y = data.evaluation_set("extrapolation")
    assert data.judge(module(x.mT).mT, y) < 1e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scaling": "log"}, "scaling must be none or unit; got 'log'; try unit"),
        ({"tolerance": 0.0}, r"tolerance must lie in \(0, 1\); got 0.0"),
        ({"tolerance": float("nan")}, r"tolerance must lie in \(0, 1\); got nan"),
        ({"batch_size": 0}, "batch_size must be positive; got 0"),
    ],
)
def test_wrong_data_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ScaledInterpolation(**arguments)
