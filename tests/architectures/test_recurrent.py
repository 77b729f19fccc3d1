import pytest
import torch

from arith_lightning.architectures import RNN, RecurrentLayer
from arith_lightning.architectures.layer import load
from arith_lightning.data import SequenceParity
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream


def parity() -> RNN:
    """With a bit b and the parity s so far, their parity is relu(s + b) - 2 relu(s + b - 1)."""
    module = RNN(width=2)
    half = torch.tensor([[0.5], [0.5]])  # b = (x + 1) / 2
    values = {
        "network.0.weight": half,
        "network.0.recurrent_weight": torch.tensor([[1.0, -2.0], [1.0, -2.0]]),
        "network.0.bias": torch.tensor([0.5, -0.5]),
        "network.1.weight": torch.tensor([[1.0, -2.0]]),
        "network.1.bias": torch.zeros(1),
    }
    load(module, values)
    return module


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_equals_torch_s_rnn(activation):
    layer = RecurrentLayer(5, activation).double()
    reference = torch.nn.RNN(1, 5, nonlinearity=activation, batch_first=True).double()
    with torch.no_grad():
        reference.weight_ih_l0.copy_(layer.weight)
        reference.weight_hh_l0.copy_(layer.recurrent_weight)
        reference.bias_ih_l0.copy_(layer.bias)
        reference.bias_hh_l0.zero_()
    x = torch.randn(4, 7, dtype=torch.float64)
    torch.testing.assert_close(layer(x), reference(x.unsqueeze(-1))[1][0])


def test_two_units_compute_parity_of_any_length():
    x, y = SequenceParity(5, 3000, 50).evaluation_set("extrapolation")
    with torch.no_grad():
        torch.testing.assert_close(parity()(x.mT), y.mT)


def test_padding_leaves_the_state():
    layer, x = RecurrentLayer(5), torch.tensor([[1.0, -1.0, 1.0]])
    padded = torch.tensor([[1.0, 0.0, -1.0, 1.0, 0.0, 0.0]])
    torch.testing.assert_close(layer(padded), layer(x))
    assert torch.equal(layer(torch.zeros(1, 4)), torch.zeros(1, 5))


def test_gradients_numerically():
    layer = RecurrentLayer(3, "tanh").double()
    names = [name for name, _ in layer.named_parameters()]
    inputs = [torch.randn_like(p).requires_grad_() for p in layer.parameters()]
    x = torch.tensor([[0.3, -1.0, 0.0, 2.0]], dtype=torch.float64)
    torch.autograd.gradcheck(
        lambda *values: torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,)), inputs
    )


def test_start_fills_its_range():
    start = RecurrentLayer(25).initial(Stream(0, Purpose.INITIALIZATION))
    assert {name: tuple(value.shape) for name, value in start.items()} == {
        "weight": (25, 1),
        "recurrent_weight": (25, 25),
        "bias": (25,),
    }
    assert -0.2 <= start["recurrent_weight"].min() < -0.19
    assert 0.19 < start["recurrent_weight"].max() <= 0.2


@pytest.mark.slow
def test_trained_on_ten_bits_it_is_right_on_five_hundred(trainer):
    population = Population(
        RNN(learning_rate=5e-3), SequenceParity(10, 500, 50, batch_size=64), seeds=range(4), evaluate_every=600
    )
    trainer(600).fit(population)
    assert population.success.all()


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="width must be positive; got 0"):
        RNN(width=0)
