import pytest
import torch

from arith_lightning.data import IntegerParity
from arith_lightning.streams import Purpose, Stream


def trained(data, step, seed=0):
    return data.draw(Stream(seed, Purpose.TRAINING, step), {}, "interpolation", data.batch_size)


def test_draws_belong_to_the_seed_and_not_to_the_step():
    data = IntegerParity(1000, 1000, draws=1000)
    x, y = trained(data, 0)
    assert torch.equal(x, trained(data, 7)[0])
    assert not torch.equal(x, trained(data, 0, seed=1)[0])
    assert torch.equal(y, x % 2)
    assert torch.equal(x, x.floor())
    assert 0 <= x.min() < 10
    assert 990 < x.max() <= 999
    # 1,000 uniform draws from 1,000 values leave out a share of 1/e
    assert 0.6 < len(x.unique()) / 1000 < 0.67


def test_a_seed_s_draws_are_what_a_lone_model_trains_on():
    x, _ = IntegerParity(50, 50, draws=20, seed=3).training_batch(5)
    assert torch.equal(x.mT, trained(IntegerParity(50, 50, draws=20), 0, seed=3)[0])


@pytest.mark.parametrize(
    ("step", "end"), [(0, 2), (4, 2), (5, 4), (10, 8), (15, 16), (20, 20), (1000, 20), (10**9, 20)]
)
def test_the_range_doubles(step, end):
    x, y = trained(IntegerParity(20, 20, doubling_steps=5), step)
    assert x.shape == (1, 20)
    assert x.unique().tolist() == list(range(end))
    assert torch.equal(y, x % 2)


def test_evaluation_sees_the_whole_range_whatever_was_drawn():
    for data in (IntegerParity(30, 40), IntegerParity(30, 40, draws=5), IntegerParity(30, 40, doubling_steps=5)):
        assert data.evaluation_set("interpolation")[0][0].tolist() == list(range(30))
        assert data.evaluation_set("extrapolation")[0][0].tolist() == list(range(40))


def test_a_long_range_is_tested_at_both_ends():
    x, y = IntegerParity(2, 2**53).evaluation_set("extrapolation", like=torch.zeros((), dtype=torch.float64))
    assert x.shape == (1, 10_000)
    assert x[0, [0, 4999, 5000, -1]].tolist() == [0, 4999, 2**53 - 5000, 2**53 - 1]
    assert y[0, [0, 4999, 5000, -1]].tolist() == [0, 1, 0, 1]


def test_one_wrong_integer_is_too_many():
    data = IntegerParity(2, 2**20)
    _, y = data.evaluation_set("extrapolation")
    prediction = y.clone()
    prediction[0, -1] = 0
    assert data.judge(prediction, y) > data.threshold({}) > data.judge(y, y)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: IntegerParity(test_end=2**53 + 1), r"test_end must lie in \[2, 2\^53\]"),
        (lambda: IntegerParity(draws=0), "draws must be positive or null; got 0"),
        (lambda: IntegerParity(doubling_steps=-1), "doubling_steps must not be negative"),
        (lambda: IntegerParity(draws=10, doubling_steps=5), "with all integers of the range only; got 5 with draws=10"),
        (lambda: IntegerParity(2, 2**24 + 1).evaluation_set("extrapolation"), "set trainer.precision 64-true"),
    ],
)
def test_wrong_data_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
