import pytest
import torch

from arith_lightning.data import NumberSets
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize(("operation", "whole"), [("sum", torch.sum), ("product", torch.prod)])
def test_targets_are_those_of_the_masked_numbers(operation, whole):
    data = NumberSets(operation)
    for split, places in (("interpolation", 5), ("extrapolation", 50)):
        x, y = data.draw(Stream(3, Purpose.TRAINING), {}, split, 64)
        numbers, mask = x.chunk(2)
        assert numbers.shape[0] == places
        for column in range(5):
            members = numbers[:, column][mask[:, column] > 0]
            assert y[0, column].item() == pytest.approx(whole(members).item(), rel=1e-5)
            assert ((members >= 0.5) & (members < 2)).all()


def test_every_size_is_drawn_in_training_and_only_the_large_one_in_the_test():
    data = NumberSets()
    x, _ = data.draw(Stream(3, Purpose.TRAINING), {}, "interpolation", 1000)
    sizes, counts = x[5:].sum(0).unique(return_counts=True)
    assert sizes.tolist() == [1, 2, 3, 4, 5]
    assert counts.min() > 150
    assert (data.evaluation_set("extrapolation")[0][50:] == 1).all()


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"numbers": [-1.0, 1.0]}, "numbers must be positive"),
        ({"numbers": [2.0, 1.0]}, "finite low < high"),
        ({"numbers": [float("nan"), 1.0]}, "finite low < high"),
        ({"max_size": 0}, "max_size must be positive"),
        ({"test_size": 0}, "test_size must be positive"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"operation": "mean"}, "operation must be sum or product"),
    ],
)
def test_wrong_data_is_refused(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        NumberSets(**arguments)
