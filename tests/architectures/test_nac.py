import pytest
import torch

from arith_lightning.architectures import NACLayer
from arith_lightning.architectures.nac import accumulator_weight, published_range
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize(("size", "variance"), [((100, 2), 0.0196078), ((2, 1), 0.4)])
def test_published_range_gives_glorot_variance(size, variance):
    r = published_range(*size)
    w_hat, m_hat = (torch.linspace(-r, r, 20_001, dtype=torch.float64) for _ in range(2))
    second, gate = w_hat.tanh().square().mean(), m_hat.sigmoid().square().mean()
    assert (second * gate).item() == pytest.approx(variance, rel=1e-3)


def test_published_start_lies_in_its_range():
    drawn = NACLayer(100, 2).initial(Stream(0, Purpose.INITIALIZATION))
    for values in drawn.values():
        assert 0.98 * 0.503909 < values.abs().max() <= 0.503909
    assert not torch.equal(drawn["w_hat"], drawn["m_hat"])


def test_weight_is_the_paper_s():
    w_hat, m_hat = torch.randn(2, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 4
    expected = w_hat.tanh() * m_hat.sigmoid()
    torch.testing.assert_close(accumulator_weight(w_hat, m_hat), expected, rtol=1e-12, atol=1e-14)


def test_saturated_weight_is_exactly_one():
    twenty = torch.tensor(20.0)
    assert accumulator_weight(twenty, twenty).item() == 1.0
    assert accumulator_weight(-twenty, twenty).item() == -1.0
