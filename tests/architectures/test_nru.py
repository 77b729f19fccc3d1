import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import NRU, NRULayer
from arith_lightning.streams import Purpose, Stream

X = torch.tensor([[2.0, -3.0]])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("weight", "expected"), [((1.0, -1.0), -2 / 3), ((1.0, 1.0), -6.0), ((-1.0, 0.0), 0.5), ((0.0, 0.0), 1.0)]
)
def test_exact_solutions_are_exact_in_both_modes(weight, expected, training):
    y = functional_call(NRULayer(2, 1).train(training), {"weight": torch.tensor([weight])}, (X,))
    assert y.item() == pytest.approx(expected, rel=1e-6)


def test_modes_by_hand():
    layer, weight = NRULayer(1, 1), {"weight": torch.tensor([[0.5]])}
    x = torch.tensor([[-4.0]])
    # trained: selected whole, -sqrt(4); evaluated: half selected, -sqrt(4) / 2 + 1 / 2
    assert functional_call(layer.train(), weight, (x,)).item() == pytest.approx(-2.0)
    assert functional_call(layer.eval(), weight, (x,)).item() == pytest.approx(-0.5)
    # tanh(1000 W)^2 = tanh(1)^2 at W = 0.001
    selected = torch.tanh(torch.tensor(1.0)) ** 2
    expected = selected * 4.0**0.001 + 1 - selected
    small = functional_call(layer.train(), {"weight": torch.tensor([[0.001]])}, (-x,))
    torch.testing.assert_close(small.squeeze(), expected)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_numerically(training):
    layer = NRULayer(3, 2).double().train(training)
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([[0.3, -0.6, 0.8], [-0.2, 0.5, 0.9]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: functional_call(layer, {"weight": w}, (x,)), (x, weight))


def test_start_bounds_and_penalty_are_those_of_an_addition_unit():
    layer = NRULayer(100, 2)
    weight = layer.initial(Stream(0, Purpose.INITIALIZATION))["weight"]
    assert -0.2425356 <= weight.min() < -0.23 < 0.23 < weight.max() <= 0.2425356
    assert layer.bounds == {"weight": (-1.0, 1.0)}
    small = NRULayer(2, 1)
    with torch.no_grad():
        small.weight.copy_(torch.tensor([[-0.25, -0.9]]))
    assert small.penalty().item() == pytest.approx((0.25 + 0.1) / 2)


def test_published_settings():
    module = NRU()
    assert (module.learning_rate.item(), module.penalty_weight.item()) == (1.0, 10.0)
    assert (module.penalty_start.item(), module.penalty_end.item()) == (20_000, 35_000)
