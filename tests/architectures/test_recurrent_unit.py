import pytest
import torch

from arith_lightning.architectures import ExactLayer, NALULayer, NAULayer, NMULayer, RecurrentUnit
from arith_lightning.data import NumberSequences
from arith_lightning.population import Population


def fixed(layer, weights: list[float], **options) -> RecurrentUnit:
    """A unit whose cell has the given weights of state and number."""
    unit = RecurrentUnit(layer(2, 1), **options)
    with torch.no_grad():
        unit.network.cell.weight.copy_(torch.tensor([weights]))
    return unit


@pytest.mark.parametrize(("length", "expected"), [(1, 3.0), (2, 5.0), (3, 9.0)])
def test_a_cell_of_ones_sums_any_length(length, expected):
    unit = fixed(NAULayer, [1.0, 1.0])
    assert unit(torch.tensor([3.0, 2.0, 4.0])[:length]).tolist() == [expected]


def test_the_state_comes_first_and_starts_at_the_initial_state():
    # 10 -> 0.5 * 10 + 3 = 8 -> 0.5 * 8 + 2 = 6
    unit = fixed(NAULayer, [0.5, 1.0], initial_state=10.0)
    assert unit(torch.tensor([3.0, 2.0])).tolist() == [6.0]


@pytest.mark.parametrize(("state", "expected"), [(1.0, 24.0), (0.0, 0.0), (2.0, 48.0)])
def test_products_need_a_state_of_one(state, expected):
    unit = fixed(NMULayer, [1.0, 1.0], initial_state=state)
    assert unit(torch.tensor([3.0, 2.0, 4.0])).tolist() == [expected]


def test_a_cell_off_by_epsilon_is_off_at_every_step():
    # h <- 0.99 h + x over n ones is (1 - 0.99^n) / 0.01
    unit = fixed(NAULayer, [0.99, 1.0]).double()
    assert unit(torch.ones(50, dtype=torch.float64)).item() == pytest.approx((1 - 0.99**50) / 0.01, rel=1e-6)


def test_a_reader_turns_every_item_into_a_number():
    unit = fixed(NAULayer, [1.0, 1.0], item_features=3, reader_widths=[])
    reader = unit.network.reader[0]
    with torch.no_grad():
        reader.weight.copy_(torch.tensor([[1.0, 10.0, 100.0]]))
        reader.bias.fill_(0.5)
    assert unit(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).tolist() == [321.5 + 654.5]
    assert [w for w in unit.weights()] == ["network.cell.weight"]


def test_gradients_of_a_whole_sequence():
    unit = RecurrentUnit(NMULayer(2, 1), 1.0, item_features=2, reader_widths=[3]).double()
    parameters = dict(unit.named_parameters())
    x = torch.rand(4, 6, dtype=torch.float64) + 0.5

    def whole(*values):
        return torch.func.functional_call(unit, dict(zip(parameters, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(whole, tuple(p.detach().clone().requires_grad_() for p in parameters.values()))


def test_a_gated_cell_can_be_looked_at():
    population = Population(RecurrentUnit(NALULayer(2, 1)), NumberSequences(length=3), seeds=range(2))
    assert population.module.gates(torch.ones(4, 3)) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": NAULayer(3, 1)}, r"a cell needs 2 inputs, state and number, and 1 output; got \(3, 1\)"),
        ({"cell": NAULayer(2, 2)}, "a cell needs 2 inputs"),
        ({"item_features": 0}, "item_features must be positive"),
        ({"item_features": 4}, "items of several numbers need reader_widths"),
        ({"reader_widths": [0]}, "reader_widths must be positive"),
    ],
)
def test_wrong_units_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RecurrentUnit(**options)


def test_a_nau_learns_sums_of_ten_and_is_right_at_three_hundred(trainer):
    data = NumberSequences(length=10, test_length=300, test_size=20)
    population = Population(RecurrentUnit(learning_rate=0.03), data, seeds=range(6), evaluate_every=100)
    trainer(500).fit(population)
    assert population.success.all()


@pytest.mark.parametrize(("operation", "expected"), [("sum", 9.0), ("product", 24.0)])
def test_an_exact_cell_has_nothing_to_learn(operation, expected):
    layer = ExactLayer(3, 1, operation)
    assert layer(torch.tensor([2.0, 3.0, 4.0])).tolist() == [expected]
    assert not list(layer.parameters())
    with pytest.raises(ValueError, match="operation must be sum or product; got 'mean'"):
        ExactLayer(2, 1, "mean")
    with pytest.raises(ValueError, match="one output"):
        ExactLayer(2, 2)
