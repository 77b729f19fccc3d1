import pytest
import torch
from sklearn.datasets import load_digits

from arith_lightning.architectures import ExactLayer, RecurrentUnit
from arith_lightning.data import HandwrittenDigits
from arith_lightning.data.handwritten_digits import PIXELS
from arith_lightning.streams import Purpose, Stream

LABELS = {
    tuple(picture): digit
    for picture, digit in zip(load_digits().data.astype(int).tolist(), load_digits().target.tolist(), strict=True)
}


def shown(data: HandwrittenDigits, x: torch.Tensor) -> torch.Tensor:
    """The digits that sequences `(length * pixels, size)` show, `(length, size)`, found by comparing pictures."""
    pictures = ((x.unflatten(0, (-1, PIXELS)).movedim(1, -1) + 1) * 8).round().int()
    return torch.tensor([[LABELS[tuple(p)] for p in row] for row in pictures.tolist()])


@pytest.mark.parametrize("operation", ["sum", "product"])
def test_targets_are_those_of_the_pictures_shown(operation):
    data = HandwrittenDigits(operation, length=3, test_length=5, test_size=40)
    for split in ("interpolation", "extrapolation"):
        x, y = data.evaluation_set(split)
        digits = shown(data, x)
        assert digits.shape == ({"interpolation": 3, "extrapolation": 5}[split], 40)
        assert torch.equal(y[0], (digits.sum(0) if operation == "sum" else digits.prod(0)).float())
        assert digits.min() >= (operation == "product")
        assert x.min() == -1
        assert x.max() == 1


def test_pictures_of_training_choice_and_test_differ():
    data = HandwrittenDigits(length=10, test_length=100, test_size=50)
    x, _ = data.draw(Stream(0, Purpose.TRAINING), data.columns(), "interpolation", 500)
    shares = [x, data.evaluation_set("interpolation")[0], data.evaluation_set("extrapolation")[0]]
    seen = [{tuple(p) for p in x.unflatten(0, (-1, PIXELS)).movedim(1, -1).flatten(0, 1).tolist()} for x in shares]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert 1000 < len(seen[0]) < 1090
    assert len(seen[2]) > 330


def test_every_digit_is_about_equally_likely():
    x, _ = HandwrittenDigits(test_length=100).evaluation_set("extrapolation")
    assert torch.bincount(shown(HandwrittenDigits(), x).flatten(), minlength=10).min() > 850


def test_half_of_the_sequences_may_be_wrong():
    data, target = HandwrittenDigits(), torch.full((1, 5), 100.0)
    assert data.judge(torch.tensor([[100.0, 101.0, 103.0, 900.0, torch.inf]]), target).item() == pytest.approx(0.03)


def test_the_published_error_is_squared_in_double_precision():
    data = HandwrittenDigits(criterion="mean squared error")
    prediction, target = torch.tensor([[1.0, 3.0, 2e19]]), torch.tensor([[1.0, 0.0, 5e19]])
    assert data.judge(prediction, target).item() == pytest.approx((9 + 9e38) / 3, rel=1e-6)
    assert not data.judge(prediction * torch.nan, target) < 1e99


def test_one_network_reads_every_picture_of_a_sequence():
    data = HandwrittenDigits(length=3, test_length=4, test_size=6)
    unit = RecurrentUnit(ExactLayer(2, 1, "sum"), item_features=PIXELS, reader_widths=[5])
    x, _ = data.evaluation_set("extrapolation")
    numbers = unit.network.reader(x.mT.unflatten(-1, (4, PIXELS))).squeeze(-1)
    torch.testing.assert_close(unit(x.mT)[:, 0], numbers.sum(-1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operation": "mean"}, "operation must be sum or product; got 'mean'"),
        ({"length": 0}, "length must be positive; got 0"),
        ({"test_size": 0}, "test_size must be positive"),
        ({"criterion": "mean"}, "criterion must be median relative error or mean squared error; got 'mean'"),
        ({"tolerance": float("nan")}, "tolerance must be positive and finite"),
    ],
)
def test_wrong_tasks_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HandwrittenDigits(**options)
