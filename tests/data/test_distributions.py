import math

import pytest
import torch
from scipy import stats
from torch.func import vmap

from arith_lightning.data.distributions import Moments, draw, parameters
from arith_lightning.streams import Purpose, Stream

ROWS = torch.tensor([[5.0, 15.0]], dtype=torch.float64)
NORMAL = torch.tensor([0.0, 1.0], dtype=torch.float64)
CASES = {
    "uniform": ([[2.0, 6.0]], [], stats.uniform(2, 4)),
    "benford": ([[10.0, 100.0]], [], stats.loguniform(10, 100)),
    "published normal": ([[-5.0, 10.0]], [-1.0, 3.0], stats.truncnorm(-4 / 3, 11 / 3, -1, 3)),
    "upper tail": ([[5.0, 15.0]], [0.0, 1.0], stats.truncnorm(5, 15)),
    "lower tail": ([[-15.0, -5.0]], [0.0, 1.0], stats.truncnorm(-15, -5)),
    "exponential": ([[0.0, 20.0]], [0.8], stats.expon(scale=0.8)),
    "late exponential": ([[3.0, 4.0]], [2.0], stats.truncexpon(0.5, 3, 2)),
}


def family(name: str, shape: list[float]) -> str:
    return name if name in ("uniform", "benford") else ("truncated_normal" if len(shape) == 2 else "exponential")


def stream(seed: int = 3) -> Stream:
    return Stream(seed, Purpose.TRAINING)


@pytest.mark.parametrize("name", CASES)
def test_what_is_drawn_has_the_distribution_and_the_moments_have_its_values(name):
    intervals, shape, truth = CASES[name]
    rows, scalars = torch.tensor(intervals, dtype=torch.float64), torch.tensor(shape, dtype=torch.float64).unbind()
    x = draw(family(name, shape), stream(), rows, (20_000,), scalars)
    assert x.dtype == torch.float32
    assert (x >= rows.min()).all()
    assert (x <= rows.max()).all()
    assert stats.kstest(x.numpy(), truth.cdf).pvalue > 1e-3
    moments = Moments.of(rows, family(name, shape), scalars)
    expected = [truth.expect(f) for f in (lambda v: v, abs, lambda v: v**2, lambda v: v**4)]
    assert [m.item() for m in moments[:4]] == pytest.approx(expected, rel=1e-6)


def test_inverse_squares_are_finite_only_away_from_zero():
    assert Moments.of(torch.tensor([[10.0, 100.0]]), "benford").inverse_square.item() == pytest.approx(
        (1 / 100 - 1 / 10_000) / (2 * math.log(10))
    )
    tail = Moments.of(ROWS, "truncated_normal", NORMAL.unbind())
    assert tail.inverse_square.item() == pytest.approx(stats.truncnorm(5, 15).expect(lambda v: v**-2), rel=1e-6)
    for low in (-1.0, 0.0):
        around = torch.tensor([[low, 2.0]])
        assert Moments.of(around, "truncated_normal", NORMAL.unbind()).inverse_square == torch.inf
        assert Moments.of(around).inverse_square == torch.inf


def test_leading_digits_follow_benfords_law():
    x = draw("benford", stream(), torch.tensor([[100.0, 1000.0]], dtype=torch.float64), (50_000,))
    shares = torch.bincount((x / 100).floor().long().clamp(1, 9), minlength=10)[1:] / len(x)
    expected = torch.tensor([math.log10(1 + 1 / d) for d in range(1, 10)])
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("name", ["benford", "truncated_normal", "exponential"])
def test_intervals_of_a_mixture_are_equally_likely(name):
    shape = {"benford": [], "truncated_normal": [0.0, 1.0], "exponential": [1.0]}[name]
    rows = torch.tensor([[1.0, 2.0], [8.0, 9.0]], dtype=torch.float64)
    x = draw(name, stream(), rows, (20_000,), torch.tensor(shape, dtype=torch.float64).unbind())
    assert (((x >= 1) & (x <= 2)) | ((x >= 8) & (x <= 9))).all()
    assert 0.48 < (x > 5).double().mean() < 0.52


@pytest.mark.parametrize("name", ["uniform", "benford", "truncated_normal", "exponential"])
def test_a_draw_can_be_mapped_over_members(name):
    shape = {"truncated_normal": [0.0, 1.0], "exponential": [1.0]}.get(name, [])
    rows = torch.tensor([[[1.0, 2.0]], [[2.0, 6.0]]], dtype=torch.float64)
    scalars = torch.tensor(shape, dtype=torch.float64).unbind()

    def one(seed, row):
        return draw(name, Stream(seed, Purpose.TRAINING), row, (7,), scalars)

    mapped = vmap(one)(torch.tensor([1, 2], dtype=torch.int32), rows)
    torch.testing.assert_close(mapped[1], one(torch.tensor(2, dtype=torch.int32), rows[1]))


@pytest.mark.parametrize(
    ("distribution", "shape", "message"),
    [
        ("normal", [], "distribution must be one of uniform, benford, truncated_normal, exponential; got 'normal'"),
        ("uniform", [1.0], "shape must be left out of a uniform distribution"),
        ("truncated_normal", [1.0], r"shape must be \[mean, std\] of a truncated_normal distribution"),
        ("truncated_normal", [0.0, 0.0], "positive"),
        ("truncated_normal", [math.nan, 1.0], "finite"),
        ("exponential", [-1.0], r"shape must be \[scale\] of an? exponential distribution"),
        ("benford", [], "numbers of Benford's law are positive"),
    ],
)
def test_wrong_distributions_are_refused(distribution, shape, message):
    with pytest.raises(ValueError, match=message):
        parameters("shape", distribution, shape, torch.tensor([[-1.0, 1.0]]))
