import pytest
import torch

from arith_lightning.architectures import NACLayer, NAULayer, NMULayer, Stack
from arith_lightning.architectures.stack import stackable
from arith_lightning.data import ArithmeticTask
from arith_lightning.evaluation import sparsity_error
from arith_lightning.population import Population


def test_an_addition_and_a_multiplication_unit_solve_the_task():
    data = ArithmeticTask("mul", in_features=20)
    module = Stack(20).double()
    with torch.no_grad():
        module.network[0].weight.copy_(torch.zeros(2, 20))
        for row, (first, last) in zip(module.network[0].weight, data.windows, strict=True):
            row[first:last] = 1
        module.network[1].weight.fill_(1)
    x, y = data.evaluation_set("extrapolation", like=torch.zeros((), dtype=torch.float64))
    torch.testing.assert_close(module(x.mT).mT, y)
    assert sparsity_error(module.weights().values()) == 0
    assert module.network[0].penalty() == module.network[1].penalty() == 0


@pytest.mark.parametrize("layers", [["NAU"], ["NAU", "NMU"], ["NAC", "NALU", "Linear"]])
def test_layers_are_chained_with_their_published_starts(layers):
    module = Stack(5, 3, layers, hidden_features=4)
    built = list(module.layers().values())
    assert [type(layer).__name__ for layer in built] == [f"{name}Layer" for name in layers]
    assert [layer.in_features for layer in built] == [5, *[4] * (len(layers) - 1)]
    assert built[-1].out_features == 3
    x = torch.rand(7, 5)
    expected = x
    for layer in built:
        expected = layer(expected)
    assert torch.equal(module(x), expected)


def test_penalties_are_added_up():
    module = Stack(3, penalty_weight=2.0)
    first, second = (layer.penalty() for layer in module.layers().values())
    y = torch.zeros(4, 1)
    loss = module.loss(y, torch.zeros(4, 3), y, torch.tensor(1))
    assert loss.item() == pytest.approx(2 * (first + second).item())
    assert 0 < first < second


@pytest.mark.parametrize("layers", [[], ["NMX"], ["NAU", "Stack"], ["Arithmetic"]])
def test_unknown_layers_are_refused(layers):
    with pytest.raises(ValueError, match=r"layers must be a list of .*NAU, .*NMU.*; got \[.*\]; try \[NAU, NMU\]"):
        Stack(layers=layers)


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="out_features=0"):
        Stack(hidden_features=0)


def parameters(layers, seeds, trainer, **arguments):
    data = ArithmeticTask(in_features=12, batch_size=16, shared_stream=True)
    population = Population(Stack(12, layers=layers, **arguments), data, seeds=seeds, evaluate_every=10)
    trainer(20).fit(population)
    return population.live.parameters


@pytest.mark.parametrize("layers", [["NAU", "NMU"], ["NALU", "NALU"]])
def test_a_member_on_shared_examples_is_the_same_in_any_company(layers, trainer):
    together = parameters(layers, list(range(40)), trainer)
    for seeds in ([7], [7, 3, 5]):
        torch.testing.assert_close(parameters(layers, seeds, trainer)[:, 0], together[:, 7], rtol=1e-5, atol=1e-6)
    assert (together[:, :1] != together[:, 1:]).any(0).all()


@pytest.mark.slow
def test_compiled_steps_on_shared_examples_equal_eager_ones():
    data = ArithmeticTask("add", in_features=12, batch_size=16, shared_stream=True)
    population = Population(Stack(12, layers=["NAU"]), data, seeds=range(5))
    compiled, eager = (
        population.dynamics.run(population.live.state, population.live.columns, 0, 19, compile)["parameters"]
        for compile in (True, False)
    )
    torch.testing.assert_close(compiled, eager, rtol=1e-5, atol=1e-6)


def test_the_layers_named_are_the_exported_ones():
    first, second, third = Stack(4, layers=["NAU", "NMU", "NAC"]).network
    assert (type(first), type(second), type(third)) == (NAULayer, NMULayer, NACLayer)


@pytest.mark.parametrize("name", sorted(stackable()))
def test_every_layer_of_two_sizes_can_be_stacked(name):
    assert Stack(4, 3, ["NAU", name])(torch.rand(5, 4) + 1).shape == (5, 3)
