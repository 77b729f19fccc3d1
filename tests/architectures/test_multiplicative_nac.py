import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import LinearNAC, LinearNACLayer, MultiplicativeNACLayer, SigmoidNACLayer
from arith_lightning.streams import Purpose, Stream

KINDS = [MultiplicativeNACLayer, SigmoidNACLayer, LinearNACLayer]
X = torch.tensor([[2.0, -3.0]])


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (MultiplicativeNACLayer, {"w_hat": (20.0, 20.0), "m_hat": (20.0, 20.0)}, 6.0),
        (MultiplicativeNACLayer, {"w_hat": (20.0, -20.0), "m_hat": (20.0, 20.0)}, 2 / 3),
        # a weight of one half takes the root
        (MultiplicativeNACLayer, {"w_hat": (20.0, 0.0), "m_hat": (0.0, 20.0)}, math.sqrt(2)),
        (SigmoidNACLayer, {"w_hat": (20.0, 20.0)}, 6.0),
        (SigmoidNACLayer, {"w_hat": (0.0, -20.0)}, math.sqrt(2)),
        (LinearNACLayer, {"weight": (1.0, 1.0)}, 6.0),
        (LinearNACLayer, {"weight": (0.0, 1.0)}, 3.0),
    ],
)
def test_magnitudes_by_hand(kind, values, expected):
    y = functional_call(kind(2, 1), {name: torch.tensor([value]) for name, value in values.items()}, (X,))
    assert y.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_numerically(kind):
    layer = kind(3, 2).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]
    values = [torch.rand_like(p).requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(layer, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )


def test_starts_fill_their_ranges():
    stream = Stream(0, Purpose.INITIALIZATION)
    weight = LinearNACLayer(50, 40).initial(stream)["weight"]
    assert 0.25 <= weight.min() < 0.26
    assert 0.74 < weight.max() <= 0.75
    w_hat = SigmoidNACLayer(50, 40).initial(stream)["w_hat"]
    assert w_hat.std().item() == pytest.approx(math.sqrt(2 / 90), rel=0.08)
    r = MultiplicativeNACLayer(2, 1).initial(stream)["w_hat"].abs().max()
    assert 1 < r <= 9.471406


def test_the_linear_weight_has_the_multiplication_unit_s_penalty():
    layer = LinearNAC().network
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.25, 0.9]]))
    assert layer.penalty().item() == pytest.approx((0.25 + 0.1) / 2)
    assert layer.bounds == {"weight": (0.0, 1.0)}
