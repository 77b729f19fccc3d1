import pytest
import torch

from arith_lightning.architectures import MLP
from arith_lightning.architectures.layer import load
from arith_lightning.data import IntegerPairs
from arith_lightning.streams import Purpose, Stream

EVERY = torch.arange(10_000)


def batch(data, step, seed=0, size=None):
    return data.draw(Stream(seed, Purpose.TRAINING, step), {}, "interpolation", size or data.batch_size)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("add", lambda x: x[0] + x[1]),
        ("sub", lambda x: x[0] - x[1]),
        ("mul", lambda x: x[0] * x[1]),
        ("square", lambda x: x[0] ** 2),
        ("scale", lambda x: 7 * x[0]),
        ("shift", lambda x: x[0] + 7),
    ],
)
def test_the_answers_to_one_and_two_integers(operation, expected):
    data = IntegerPairs(operation)
    assert data.asked({}).operation == operation
    for x, y in (batch(data, 3), data.evaluation_set("extrapolation")):
        assert x.shape[0] == data.in_features
        assert torch.equal(y[0], expected(x))


def test_examples_belong_to_the_seed_and_batches_to_the_step():
    data = IntegerPairs()
    examples = {tuple(pair) for pair in data.example(Stream(0, Purpose.TRAINING), EVERY).mT.tolist()}
    x, _ = batch(data, 0, size=5000)
    later, _ = batch(data, 1, size=5000)
    assert not torch.equal(x, later)
    assert {tuple(pair) for pair in torch.cat([x, later], 1).long().mT.tolist()} <= examples
    other = data.example(Stream(1, Purpose.TRAINING), EVERY)
    assert not torch.equal(other, data.example(Stream(0, Purpose.TRAINING), EVERY))


def test_examples_are_uniform_integers_and_operands_are_independent():
    x = IntegerPairs().example(Stream(0, Purpose.TRAINING), EVERY)
    assert x.shape == (2, 10_000)
    assert (x.min().item(), x.max().item()) == (0, 499)
    assert x.double().mean(1).tolist() == pytest.approx([249.5, 249.5], abs=5)
    assert torch.corrcoef(x.double())[0, 1].abs() < 0.03


def test_a_batch_is_drawn_with_replacement_from_few_examples():
    x, _ = batch(IntegerPairs("square", examples=3, batch_size=200), 0)
    assert len(x.unique()) == 3


def test_evaluation_sees_the_ends_and_the_full_grid_sees_every_pair():
    x, _ = IntegerPairs(grid=4, test_range=[500, 1000]).evaluation_set("extrapolation")
    assert x.mT.tolist() == [[a, b] for a in (500, 666, 832, 999) for b in (500, 666, 832, 999)]
    x, _ = IntegerPairs(train_end=5, grid=500).evaluation_set("interpolation")
    assert x.mT.tolist() == [[a, b] for a in range(5) for b in range(5)]
    x, _ = IntegerPairs("square", train_end=5).evaluation_set("interpolation")
    assert x.tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(("operation", "degree"), [("add", 1), ("scale", 1), ("mul", 2), ("square", 2)])
def test_scaling_changes_units_and_not_the_question(operation, degree):
    scale = 2.0**-9
    (x, y), (small, answer) = batch(IntegerPairs(operation), 5), batch(IntegerPairs(operation, input_scale=scale), 5)
    assert torch.equal(small, x * scale)
    assert torch.equal(answer, y * scale**degree)


@pytest.mark.parametrize("scale", [1.0, 2.0**-9])
def test_an_answer_counts_if_it_rounds_to_the_integer(scale):
    data = IntegerPairs(grid=10, input_scale=scale)
    _, y = data.evaluation_set("extrapolation")
    near = y + 0.4 * data.target_scale
    assert data.judge(near, y) == 0
    for error in (0.6 * data.target_scale, float("nan")):
        prediction = near.clone()
        prediction[0, -1] = y[0, -1] + error
        assert data.judge(prediction, y).item() == pytest.approx(0.01)
        assert data.judge(prediction, y) > data.threshold({})


def test_four_squares_multiply_exactly_far_outside():
    data = IntegerPairs(grid=50, test_range=[0, 4096], input_scale=2.0**-9)
    module = MLP(widths=[4], activation="square").double()
    first = torch.tensor([[1.0, 1.0], [1.0, -1.0], [0.0, 0.0], [0.0, 0.0]])
    second = torch.tensor([[0.25, -0.25, 0.0, 0.0]])
    hidden, output = module.layers()
    load(module, {f"{hidden}.weight": first, f"{hidden}.bias": torch.zeros(4)})
    load(module, {f"{output}.weight": second, f"{output}.bias": torch.zeros(1)})
    assert sum(p.numel() for p in module.parameters()) == 17
    x, y = data.evaluation_set("extrapolation", like=torch.zeros((), dtype=torch.float64))
    assert data.judge(module(x.mT).mT, y) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operation": "div"}, "operation must be one of add, sub, mul, square, scale, shift; got 'div'"),
        ({"train_end": 1}, r"train_end must lie in \[2, 4096\]; got 1"),
        ({"test_range": [1000, 500]}, r"test_range must be \[first, end\] .*; got \[1000, 500\]"),
        ({"test_range": [0, 4097]}, "integers or more from 0 to 4095"),
        ({"test_range": [0, 1, 2]}, r"test_range must be \[first, end\]"),
        ({"constant": 5000}, r"constant must lie in \[-4096, 4096\]; got 5000"),
        ({"grid": 1}, "grid must be at least 2, the two ends; got 1"),
        ({"examples": 0}, r"examples must lie in \[1, 2\^24\]; got 0"),
        ({"input_scale": 0.0}, "input_scale must be positive; got 0.0"),
        ({"input_scale": float("nan")}, "input_scale must be positive; got nan"),
        ({"batch_size": 0}, "batch_size must be positive; got 0"),
    ],
)
def test_wrong_data_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        IntegerPairs(**arguments)
