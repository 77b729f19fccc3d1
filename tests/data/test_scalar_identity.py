import pytest
import torch

from arith_lightning.architectures import MLP, NAC
from arith_lightning.architectures.layer import load
from arith_lightning.data import ScalarIdentity
from arith_lightning.streams import Purpose, Stream


def test_training_stays_inside_and_the_test_goes_far_outside():
    data = ScalarIdentity()
    x, y = data.draw(Stream(0, Purpose.TRAINING, 0), {}, "interpolation", 10_000)
    assert torch.equal(x, y)
    assert (x.abs() <= 5).all()
    assert x.min() < -4.99
    assert x.max() > 4.99
    x, y = data.evaluation_set("extrapolation")
    assert torch.equal(x, y)
    assert (x.min().item(), x.max().item()) == (-20, 20)
    assert x.diff().max() < 0.021
    assert data.evaluation_set("interpolation")[0].abs().max() <= 5


def test_limits_are_the_user_s():
    data = ScalarIdentity(train_limit=1.0, test_limit=3.0)
    assert data.training_batch(0)[0].abs().max() <= 1
    assert data.evaluation_set("extrapolation")[0].max() == 3


def test_the_worst_number_decides():
    data = ScalarIdentity()
    _, y = data.evaluation_set("extrapolation")
    prediction = y.clone()
    prediction[0, 5] += 0.2
    assert data.judge(prediction, y).item() == pytest.approx(0.2, rel=1e-4)
    assert data.judge(prediction, y) > data.threshold({})
    assert not data.judge(torch.full_like(y, torch.nan), y) < data.threshold({})


def test_a_saturated_nac_is_the_identity():
    data, module = ScalarIdentity(), NAC(in_features=1)
    (layer,) = module.layers()
    load(module, {f"{layer}.w_hat": torch.full((1, 1), 20.0), f"{layer}.m_hat": torch.full((1, 1), 20.0)})
    x, y = data.evaluation_set("extrapolation")
    assert data.judge(module(x.mT).mT, y) < 1e-5


def test_a_saturating_unit_is_right_inside_and_constant_outside():
    """5 hard_tanh(x / 5) is x up to 5 and stays there, 15 short of 20."""
    data, module = ScalarIdentity(), MLP(in_features=1, widths=[1], activation="hard_tanh")
    hidden, output = module.layers()
    load(module, {f"{hidden}.weight": torch.full((1, 1), 0.2), f"{hidden}.bias": torch.zeros(1)})
    load(module, {f"{output}.weight": torch.full((1, 1), 5.0), f"{output}.bias": torch.zeros(1)})
    x, y = data.evaluation_set("interpolation")
    assert data.judge(module(x.mT).mT, y) < 1e-5
    x, y = data.evaluation_set("extrapolation")
    assert data.judge(module(x.mT).mT, y).item() == pytest.approx(15)


@pytest.mark.parametrize("name", ["train_limit", "test_limit", "tolerance"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_must_be_positive_and_finite(name, value):
    with pytest.raises(ValueError, match=f"{name} must be positive and finite; got {value}; try 1"):
        ScalarIdentity(**{name: value})
