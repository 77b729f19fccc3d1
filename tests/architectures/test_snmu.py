import pytest
import torch
from torch.func import functional_call, vmap

from arith_lightning.architectures import NMULayer, sNMU, sNMULayer
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population

X = torch.tensor([[2.0, -3.0]])


def test_training_value_by_hand(monkeypatch):
    layer = sNMULayer(2, 1)
    monkeypatch.setattr(layer, "noise", lambda x: torch.tensor([[2.0, 3.0]]))
    y = functional_call(layer, {"weight": torch.tensor([[0.5, 0.5]])}, (X,))
    # (0.5 * 4 + 0.5) (0.5 * -9 + 0.5) / ((0.5 * 2 + 0.5) (0.5 * 3 + 0.5))
    assert y.item() == pytest.approx(-10 / 3)


@pytest.mark.parametrize("weight", [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_noise_cancels_at_every_solution(weight):
    layer, x = sNMULayer(2, 1).double(), torch.randn(50, 2, dtype=torch.float64)
    values = {"weight": torch.tensor([weight], dtype=torch.float64)}
    noisy = functional_call(layer, values, (x,))
    torch.testing.assert_close(noisy, functional_call(layer.eval(), values, (x,)), rtol=1e-12, atol=1e-12)


def test_an_evaluated_unit_is_the_neural_multiplication_unit():
    noisy, plain = sNMULayer(3, 2).eval(), NMULayer(3, 2)
    plain.load_state_dict({name: value for name, value in noisy.state_dict().items() if "noise" not in name})
    x = torch.randn(20, 3)
    assert torch.equal(noisy(x), plain(x))
    assert not torch.equal(noisy.train()(x), plain(x))


@pytest.mark.parametrize(("low", "high"), [(1.0, 5.0), (0.01, 0.05)])
def test_noise_is_uniform_and_independent(low, high):
    layer, size = sNMULayer(2, 1, noise_low=low, noise_high=high), 100_000
    x = torch.rand(size, 1).expand(size, 2) + 1
    noise = layer.noise(x)
    assert low <= noise.min() < noise.max() <= high
    unit = (noise - low) / (high - low)
    torch.testing.assert_close(unit.mean(0), torch.full((2,), 0.5), rtol=0, atol=5 / (12 * size) ** 0.5)
    counts = torch.histc(unit, 20, 0, 1)
    assert ((counts - 2 * size / 20).abs() < 5 * (2 * size / 20) ** 0.5).all()
    # neither between two equal inputs of one example, nor with the input, nor with the next example's
    pairs = [(unit[:, 0], unit[:, 1]), (unit[:, 0], x[:, 0]), (unit[1:, 0], unit[:-1, 0])]
    for a, b in pairs:
        assert torch.corrcoef(torch.stack([a, b]))[0, 1].abs() < 5 / size**0.5


def test_noise_is_fresh_for_neighbouring_inputs():
    x = torch.ones(1000)
    for k in range(1, 1000):
        x[k] = torch.nextafter(x[k - 1], torch.tensor(2.0))
    noise = sNMULayer(1, 1).noise(x.unsqueeze(-1)).squeeze(-1)
    assert len(noise.unique()) > 990
    assert torch.corrcoef(torch.stack([noise[1:], noise[:-1]]))[0, 1].abs() < 0.15


def test_noise_is_the_same_mapped():
    layer, x = sNMULayer(2, 1), torch.randn(8, 2)
    assert torch.equal(vmap(layer.noise)(x), layer.noise(x))


def test_gradients_numerically():
    layer = sNMULayer(3, 2).double()
    x = torch.rand(4, 3, dtype=torch.float64) + 0.5
    weight = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: functional_call(layer, {"weight": w}, (x,)), (weight,))


@pytest.mark.slow
def test_compiled_steps_draw_the_same_noise():
    population = Population(sNMU(), SingleModuleTask(), seeds=range(5))
    compiled, eager = (
        population.dynamics.run(population.live.state, population.live.columns, 0, 19, compile)["parameters"]
        for compile in (True, False)
    )
    torch.testing.assert_close(compiled, eager, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("noise", [(0.0, 5.0), (5.0, 1.0), (1.0, float("inf")), (1.0, float("nan"))])
def test_wrong_noise_is_refused(noise):
    with pytest.raises(ValueError, match=r"noise_low < noise_high; got .*; try 1 and 5"):
        sNMU(noise_low=noise[0], noise_high=noise[1])
