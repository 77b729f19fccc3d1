import pytest
import torch
from scipy.stats import kstest
from torch.func import vmap

from arith_lightning.streams import Purpose, Stream, threefry

ONES = (2**32 - 1,) * 4
PI = (0x13198A2E, 0x03707344, 0x243F6A88, 0x85A308D3)


def word(value: int) -> torch.Tensor:
    return torch.tensor(value - 2**32 if value >= 2**31 else value, dtype=torch.int32)


@pytest.mark.parametrize(
    ("rounds", "words", "expected"),
    [
        (13, (0, 0, 0, 0), (0x9D1C5EC6, 0x8BD50731)),
        (13, ONES, (0xFD36D048, 0x2D17272C)),
        (13, PI, (0xBA3E4725, 0xF27D669E)),
        (20, (0, 0, 0, 0), (0x6B200159, 0x99BA4EFE)),
        (20, ONES, (0x1CB996FC, 0xBB002BE7)),
        (20, PI, (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_its_authors(rounds, words, expected):
    k0, k1, c0, c1 = map(word, words)
    assert threefry((k0, k1), (c0, c1), rounds) == tuple(map(word, expected))


def test_uniform_numbers_are_uniform():
    numbers = Stream(7, Purpose.TRAINING, 3).uniform((200_001,), -1.0, 1.0)
    assert kstest(numbers.numpy(), "uniform", args=(-1, 2)).pvalue > 0.01


@pytest.mark.parametrize(("draw", "law"), [("normal", "norm"), ("truncated_normal", "truncnorm")])
def test_normal_numbers_follow_their_law(draw, law):
    numbers = getattr(Stream(1, Purpose.TRAINING), draw)((50_000,), std=1.0)
    assert kstest(numbers.numpy(), law, args=(-2, 2) if law == "truncnorm" else ()).pvalue > 0.01


def test_successive_draws_continue_the_stream():
    stream = Stream(5, Purpose.TRAINING)
    assert not torch.equal(stream.uniform((4,)), stream.uniform((4,)))


@pytest.mark.parametrize(
    "other",
    [
        Stream(1, Purpose.TRAINING, 2),
        Stream(0, Purpose.INITIALIZATION, 2),
        Stream(0, Purpose.TRAINING, 3),
    ],
)
def test_seed_purpose_and_step_each_give_other_numbers(other):
    numbers = Stream(0, Purpose.TRAINING, 2).uniform((1000,))
    assert (numbers == other.uniform((1000,))).double().mean() < 0.01


def test_double_precision_sees_the_same_numbers():
    single, double = (Stream(0, Purpose.TRAINING, 0, dtype).uniform((99,)) for dtype in (torch.float32, torch.float64))
    assert torch.equal(single.double(), double)


def test_mapped_over_seeds_as_alone():
    seeds = torch.arange(5, dtype=torch.int32)
    mapped = vmap(lambda seed: Stream(seed, Purpose.TRAINING, 9).uniform((3, 7)))(seeds)
    for k in range(5):
        assert torch.equal(mapped[k], Stream(k, Purpose.TRAINING, 9).uniform((3, 7)))


def test_integers_reach_every_value_of_their_range_and_no_other():
    drawn = Stream(3, Purpose.TRAINING).integers((4000,), -2, 5)
    assert drawn.dtype == torch.int64
    assert set(drawn.tolist()) == set(range(-2, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_numbers_are_finite_at_both_ends_of_the_stream(dtype, monkeypatch):
    ends = torch.tensor([0.0, 1 - 2.0**-24], dtype=dtype)
    stream = Stream(0, Purpose.TRAINING, dtype=dtype)
    monkeypatch.setattr(stream, "uniform", lambda size: ends)
    low, high = stream.normal((2,)).tolist()
    assert -5.5 < low < -5.2
    assert 5.2 < high < 5.5
