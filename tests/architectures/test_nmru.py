import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import NMRU, NMRULayer
from arith_lightning.streams import Purpose, Stream

X = torch.tensor([[2.0, -3.0]])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ((1.0, 0.0, 0.0, 1.0), -2 / 3),
        ((1.0, 1.0, 0.0, 0.0), -6.0),
        ((0.0, 0.0, 1.0, 1.0), -1 / 6),
        ((0.0, 1.0, 0.0, 1.0), 1.0),
        ((0.0, 0.0, 0.0, 0.0), 1.0),
        # magnitudes 1.5, 2, 0.75, 2 / 3; sign cos(pi (0.5 + 0.5)) = -1
        ((0.5, 0.5, 0.5, 0.5), -1.5),
    ],
)
def test_by_hand(weight, expected, training):
    y = functional_call(NMRULayer(2, 1).train(training), {"weight": torch.tensor([weight])}, (X,))
    assert y.item() == pytest.approx(expected, rel=1e-6)


def test_the_reciprocal_of_zero_is_finite_in_training_alone():
    weight, x = {"weight": torch.tensor([[0.0, 1.0]])}, torch.zeros(1, 1)
    assert functional_call(NMRULayer(1, 1).train(), weight, (x,)).item() == 2.0**23
    assert functional_call(NMRULayer(1, 1).eval(), weight, (x,)).isinf()


@pytest.mark.parametrize("training", [False, True])
def test_gradients_numerically(training):
    layer = NMRULayer(3, 2).double().train(training)
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    weight = (0.1 + 0.8 * torch.rand(2, 6, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, w: functional_call(layer, {"weight": w}, (x,)), (x, weight))


def test_start_fills_its_range():
    weight = NMRULayer(50, 40).initial(Stream(0, Purpose.INITIALIZATION))["weight"]
    assert weight.shape == (40, 100)
    assert 0.25 <= weight.min() < 0.26
    assert 0.74 < weight.max() <= 0.75


def test_penalty_by_hand():
    layer = NMRULayer(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.25, 0.9, 0.0, 1.0]]))
    assert layer.penalty().item() == pytest.approx((0.25 + 0.1) / 4)


def test_published_settings():
    module = NMRU()
    assert module.learning_rate.item() == 1e-2
    assert (module.gradient_clip_norm, module.penalty_weight.item()) == (1.0, 10.0)
