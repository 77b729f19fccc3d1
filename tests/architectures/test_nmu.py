import pytest
import torch

from arith_lightning.architectures import NMULayer
from arith_lightning.streams import Purpose, Stream


def filled(weight):
    layer = NMULayer(len(weight), 1).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weight]))
    return layer


@pytest.mark.parametrize("fan_in", [2, 8, 9, 31])
def test_gradient_of_a_weight_is_its_own_share_of_the_product(fan_in):
    generator = torch.Generator().manual_seed(fan_in)
    layer = filled(torch.rand(fan_in, generator=generator).tolist())
    x = torch.randn(fan_in, dtype=torch.float64, generator=generator)
    layer(x).sum().backward()
    factors = (layer.weight * x + 1 - layer.weight).detach().squeeze(0)
    others = torch.stack([torch.cat([factors[:i], factors[i + 1 :]]).prod() for i in range(fan_in)])
    torch.testing.assert_close(layer.weight.grad[0], (x - 1) * others)


@pytest.mark.parametrize("fan_in", [2, 9])
def test_a_zero_factor_has_a_gradient(fan_in):
    layer = filled([1.0] * fan_in)
    x = torch.full((fan_in,), 2.0, dtype=torch.float64)
    x[1] = 0
    layer(x).sum().backward()
    assert layer.weight.grad[0].tolist() == [0.0, -(2.0 ** (fan_in - 1)), *[0.0] * (fan_in - 2)]


@pytest.mark.parametrize("fan_in", [1, 2, 7, 8, 9, 64, 101])
def test_all_ones_give_the_sign_product_and_all_halves_its_gate(fan_in):
    x = torch.randint(0, 2, (50, fan_in), generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    assert torch.equal(filled([1.0] * fan_in)(x), x.prod(-1, keepdim=True))
    assert torch.equal(filled([0.5] * fan_in)(x), (x == 1).all(-1, keepdim=True).double())


@pytest.mark.parametrize(("weight", "expected"), [((0.0, 1.0), 0.0), ((0.25, 0.9), 0.175), ((0.5, 0.5), 0.5)])
def test_penalty_is_zero_at_zero_and_one(weight, expected):
    assert filled(weight).penalty().item() == pytest.approx(expected, abs=1e-7)


def test_published_start_has_mean_one_half():
    weight = NMULayer(200, 50).initial(Stream(0, Purpose.INITIALIZATION))["weight"]
    assert weight.min() >= 0.25
    assert weight.max() <= 0.75
    assert weight.mean().item() == pytest.approx(0.5, abs=0.005)
