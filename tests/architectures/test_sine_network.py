import itertools
import math

import pytest
import torch

from arith_lightning.architectures import SineLayer, SineNetwork
from arith_lightning.architectures.layer import load
from arith_lightning.data import BitParity
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream


def test_values_by_hand():
    module = SineNetwork(2, width=1)
    load(module, {"network.0.weight": torch.tensor([[2.0, -1.0]]), "network.0.bias": torch.tensor([0.5])})
    load(module, {"network.1.weight": torch.tensor([[3.0]]), "network.1.bias": torch.tensor([-1.0])})
    assert module(torch.tensor([0.7, 0.3])).item() == pytest.approx(3 * math.sin(1.6) - 1)


@pytest.mark.parametrize("bits", [3, 6])
def test_one_sine_at_odd_multiples_of_half_pi_is_parity(bits):
    module = SineNetwork(bits, width=1).double()
    signs = torch.tensor([1.0, -1.0, 3.0, 1.0, 5.0, -1.0])[:bits]
    x = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=bits)), dtype=torch.float64)
    load(module, {"network.0.weight": signs.unsqueeze(0) * math.pi / 2})
    bias = torch.tensor([math.pi / 2 if bits % 2 == 0 else 0.0])
    load(module, {"network.0.bias": bias, "network.1.weight": torch.ones(1, 1), "network.1.bias": torch.zeros(1)})
    z, product = module(x).squeeze(-1), x.prod(-1)
    torch.testing.assert_close(z * z[-1], product * product[-1], atol=1e-6, rtol=0)


def test_correlation_with_parity_is_the_product_of_the_sines():
    layer = SineLayer(4, 1).double()
    x = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)), dtype=torch.float64)
    found = (layer(x).squeeze(-1) * x.prod(-1)).mean()
    torch.testing.assert_close(found, layer.weight.sin().prod() * layer.bias.squeeze().sin())


def test_gradients_numerically():
    layer = SineLayer(3, 2).double()
    inputs = [torch.randn_like(p).requires_grad_() for p in layer.parameters()]
    x = torch.randn(4, 3, dtype=torch.float64)
    torch.autograd.gradcheck(lambda w, b: torch.func.functional_call(layer, {"weight": w, "bias": b}, (x,)), inputs)


@pytest.mark.parametrize(("name", "bound"), [("weight", 3.0), ("bias", math.pi)])
def test_start_fills_its_range(name, bound):
    values = SineLayer(30, 100, init_scale=3.0).initial(Stream(0, Purpose.INITIALIZATION))[name]
    assert -bound <= values.min() < -0.9 * bound
    assert 0.9 * bound < values.max() <= bound


def test_learns_eight_bits_and_answers_rows_it_never_saw(trainer):
    population = Population(
        SineNetwork(8, learning_rate=0.1), BitParity(8, held_out=64), seeds=range(8), evaluate_every=150
    )
    trainer(150).fit(population)
    assert population.success.double().mean() >= 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width must be positive; got 0"),
        ({"init_scale": math.nan}, "init_scale must be finite and not negative; got nan"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SineNetwork(**arguments)
