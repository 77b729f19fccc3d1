import itertools

import pytest
import torch

from arith_lightning.data import BinaryMultiplication
from arith_lightning.data.binary_multiplication import bit_accuracy, product_bits
from arith_lightning.streams import Purpose, Stream


def numbers(bits):
    """Python integers of the columns of `(bits, size)`, highest bit first."""
    return [int("".join(str(int(bit)) for bit in column), 2) for column in bits.T.tolist()]


@pytest.mark.parametrize("n", [1, 3, 8, 32, 128])
def test_long_multiplication_equals_python_s(n):
    a, b = Stream(1, Purpose.TRAINING).integers((2, n, 50), 0, 2).float()
    product = product_bits(a, b)
    assert len(product) == 2 * n
    assert numbers(product) == [x * y for x, y in zip(numbers(a), numbers(b), strict=True)]
    ones = torch.ones(n, 1)
    assert numbers(product_bits(ones, ones)) == [(2**n - 1) ** 2]


@pytest.mark.parametrize(("coding", "low", "high"), [("zero_one", 0, 1), ("centered", -0.5, 0.5), ("signs", -1, 1)])
def test_an_example_by_hand(coding, low, high):
    data = BinaryMultiplication(bits=2, coding=coding, train_share=1.0)
    x, y = data.evaluation_set("extrapolation")
    index = 2 * 4 + 3  # 10 times 11 is 0110
    assert x[:, index].tolist() == [high, low, high, high]
    assert y[:, index].tolist() == [0, 1, 1, 0]


def test_the_posted_slip_shows_eight_leading_zeros_instead_of_the_second_operand():
    visible = BinaryMultiplication(end=255, train_share=1.0)
    slipped = BinaryMultiplication(end=255, train_share=1.0, second_operand_visible=False)
    (x, y), (shown, target) = (data.evaluation_set("extrapolation") for data in (visible, slipped))
    assert x.shape == (16, 255**2)
    assert torch.equal(shown[:8], x[:8])
    assert (shown[8:] == -0.5).all()
    assert torch.equal(y, target)


def pairs(x):
    return set(zip(numbers(x[: len(x) // 2] > 0), numbers(x[len(x) // 2 :] > 0), strict=True))


def test_training_selection_and_test_pairs_are_disjoint_closed_under_mirroring_and_complete():
    sets = [
        pairs(BinaryMultiplication(bits=5, held_out=s).evaluation_set("extrapolation")[0])
        for s in ("selection", "test")
    ]
    data = BinaryMultiplication(bits=5, batch_size=None)
    sets.append(pairs(data.evaluation_set("interpolation")[0]))
    assert set.union(*sets) == set(itertools.product(range(32), repeat=2))
    assert sum(map(len, sets)) == 32**2
    for chosen in sets:
        assert {(b, a) for a, b in chosen} == chosen
    assert 0.75 < len(sets[2]) / 32**2 < 0.85
    assert data.fixed


def test_batches_are_training_pairs_drawn_afresh():
    data = BinaryMultiplication(bits=4, train_share=0.5, batch_size=3000)
    x, _ = data.training_batch(0)
    assert pairs(x.T) == pairs(BinaryMultiplication(bits=4, train_share=0.5, batch_size=None).training_batch(0)[0].T)
    assert not torch.equal(x, data.training_batch(1)[0])


@pytest.mark.parametrize(("test_bits", "size"), [(4, 256), (8, 65536), (11, 1000), (64, 1000)])
def test_the_extrapolation_set_is_all_pairs_or_a_thousand_random_ones(test_bits, size):
    data = BinaryMultiplication(bits=3, train_share=1.0, test_bits=test_bits, tolerance=0.0)
    x, y = data.evaluation_set("extrapolation")
    assert x.shape == y.shape == (2 * test_bits, size)
    assert len(pairs(x)) == size
    wrong = y.clone()
    assert data.judge(wrong, y) < data.threshold({})
    wrong[0, 0] = 1 - wrong[0, 0]
    assert data.judge(wrong, y) > data.threshold({})


def test_one_wrong_bit_or_nan_spoils_a_product():
    data = BinaryMultiplication(bits=2, train_share=1.0)
    y = torch.tensor([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0]])
    prediction = 0.2 + 0.6 * y
    assert data.judge(prediction, y) == 0
    prediction[1, 2], prediction[3, 0] = 0.6, torch.nan
    assert data.judge(prediction, y) == 0.5
    assert bit_accuracy(prediction, y).tolist() == [1.0, 0.75, 1.0, 0.75]


@pytest.mark.parametrize(("end", "blind", "of_first"), [(255, 0.586132, 0.587319), (256, 0.585476, 0.585827)])
def test_the_best_bit_accuracy_without_the_operands_and_from_the_first_alone(end, blind, of_first):
    _, y = BinaryMultiplication(end=end, train_share=1.0).evaluation_set("extrapolation")
    for ones, expected in ((y.mean(-1), blind), (y.reshape(16, end, end).mean(-1), of_first)):
        assert torch.maximum(ones, 1 - ones).mean().item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bits": 0}, "bits must lie in .1, 10.; got 0"),
        ({"test_bits": 0}, "test_bits must be positive; got 0"),
        ({"end": 257}, "end must lie in .2, 2.bits = 256.; got 257"),
        ({"train_share": 0.0}, "train_share must lie in .0, 1.; got 0.0"),
        ({"train_share": float("nan")}, "train_share must lie in .0, 1.; got nan"),
        ({"tolerance": 1.0}, "tolerance must lie in .0, 1.; got 1.0"),
        ({"bits": 1, "train_share": 0.01}, "there must be pairs to train and to test on"),
        ({"batch_size": 0}, "batch_size must be positive; got 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BinaryMultiplication(**arguments)
