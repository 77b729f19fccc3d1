import pytest
import torch

from arith_lightning.data import NumberSequences
from arith_lightning.data.number_sequences import folded, relative_error


@pytest.mark.parametrize(("operation", "lowest"), [("sum", 0), ("product", 1)])
def test_digits_are_equally_likely_and_folded(operation, lowest):
    data = NumberSequences(operation, length=4, test_length=7, test_size=30)
    x, y = data.evaluation_set("interpolation")
    assert (x.shape, y.shape) == ((4, 10_000), (1, 10_000))
    digits, counts = x.unique(return_counts=True)
    assert digits.tolist() == list(range(lowest, 10))
    assert (counts / 40_000 - 1 / (10 - lowest)).abs().max() < 0.01
    assert torch.equal(y[0], x.sum(0) if operation == "sum" else x[0] * x[1] * x[2] * x[3])
    x, y = data.evaluation_set("extrapolation")
    assert (x.shape, y.shape) == ((7, 30), (1, 30))


def test_products_of_any_length_by_hand():
    digits = torch.tensor([[3.0], [2.0], [5.0], [7.0], [1.0]])
    assert [folded("product", digits[:n]).item() for n in range(1, 6)] == [3, 6, 30, 210, 210]
    assert folded("sum", digits).tolist() == [[18.0]]


def test_errors_are_relative_where_the_target_is_larger_than_one():
    prediction, target = torch.tensor([[110.0, 0.5, 2.0]]), torch.tensor([[100.0, 0.0, 2.0]])
    assert relative_error(prediction, target).tolist() == [[pytest.approx(0.1), 0.5, 0.0]]
    assert NumberSequences().judge(prediction, target).item() == pytest.approx(0.2)
    assert not NumberSequences().judge(torch.full((1, 2), torch.nan), torch.ones(1, 2)) < 1e9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operation": "mean"}, "operation must be sum or product; got 'mean'"),
        ({"length": 0}, "length must be positive; got 0"),
        ({"test_length": 0}, "test_length must be positive"),
        ({"test_size": 0}, "test_size must be positive"),
        ({"tolerance": 0.0}, "tolerance must be positive and finite"),
        ({"tolerance": float("nan")}, "tolerance must be positive and finite"),
        ({"batch_size": 0}, "batch_size must be positive"),
    ],
)
def test_wrong_sequences_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NumberSequences(**options)
