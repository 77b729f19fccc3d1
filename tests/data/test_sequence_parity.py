import pytest
import torch

from arith_lightning.data import SequenceParity


def test_training_sequences_are_padded_behind_their_end():
    x, y = SequenceParity(5, 20, batch_size=5000).training_batch(0)
    lengths = (x != 0).sum(1)
    assert torch.equal(x != 0, torch.arange(5) < lengths.unsqueeze(1))
    assert set(x.unique().tolist()) == {-1.0, 0.0, 1.0}
    shares = lengths.bincount(minlength=6) / 5000
    assert shares[0] == 0
    torch.testing.assert_close(shares[1:], torch.full((5,), 0.2), atol=0.03, rtol=0)
    assert torch.equal(y[:, 0], (x == 1).sum(1) % 2.0)


def test_tested_sequences_are_long_and_full():
    data = SequenceParity(5, 20, 30)
    x, y = data.evaluation_set("extrapolation")
    assert (x.shape, y.shape) == ((20, 30), (1, 30))
    assert (x.abs() == 1).all()
    assert torch.equal(y[0], (x == 1).sum(0) % 2.0)
    assert data.evaluation_set("interpolation")[0].shape[0] == 5


def test_one_wrong_sequence_is_too_many():
    data = SequenceParity(5, 20, 30)
    _, y = data.evaluation_set("extrapolation")
    prediction = y.clone()
    prediction[0, 3] = 1 - y[0, 3]
    assert data.judge(prediction, y) > data.threshold({}) > data.judge(y, y)


@pytest.mark.parametrize("name", ["max_length", "test_length", "test_size", "batch_size"])
def test_sizes_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be positive; got 0"):
        SequenceParity(**{name: 0})
