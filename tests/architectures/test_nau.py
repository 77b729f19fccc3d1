import pytest
import torch

from arith_lightning.architectures import NAULayer
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize(
    ("size", "bound"), [((100, 2), 0.2425356), ((2, 1), 0.5), ((23, 1), 0.5), ((24, 1), 0.4898979)]
)
def test_start_is_bounded_by_one_half(size, bound):
    starts = [NAULayer(*size).initial(Stream(seed, Purpose.INITIALIZATION))["weight"] for seed in range(200)]
    assert 0.98 * bound < torch.stack(starts).abs().max() <= bound


@pytest.mark.parametrize(
    ("weight", "expected"),
    [((1.0, -1.0), 0.0), ((0.0, 1.0), 0.0), ((-0.25, -0.25), 0.25), ((-0.9, -0.9), 0.1), ((0.5, -0.5), 0.5)],
)
def test_penalty_is_zero_at_minus_one_zero_and_one(weight, expected):
    layer = NAULayer(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weight]))
    assert layer.penalty().item() == pytest.approx(expected, abs=1e-7)
