import math

import pytest
import torch

from arith_lightning.search import declaration, theory


def test_the_basin_of_the_sine_ends_at_the_first_maximum_of_the_squared_error():
    for count in (30, 100, 1000):
        built = declaration.load("parity_start").build({"data.init_args.train_end": count})
        x = torch.arange(count, dtype=torch.float64)
        offsets = torch.linspace(0.5, 4, 3001, dtype=torch.float64) / count
        errors = (torch.sin(offsets[:, None] * x) ** 4).mean(1)
        rising = errors.diff() > 0
        end = offsets[int((~rising).nonzero()[0])]
        below, above = theory.sine_basin(built)
        assert above.y - math.pi / 2 == pytest.approx(end.item(), rel=0.05)
        assert below.y == pytest.approx(math.pi - above.y)


def test_a_factor_of_the_nmu_is_zero_at_the_barrier_and_equal_weights_part_where_their_gradient_vanishes():
    built = declaration.load("nmu_mul").build({})
    low, high, equal = (line.y for line in theory.nmu_barrier(built))
    assert low * -2 + 1 - low == pytest.approx(0)
    assert high * -1 + 1 - high == pytest.approx(0)
    nodes = -2 + (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    x, y = nodes[:, None], nodes[None, :]

    def gradient(value):
        w = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        ((w * x + 1 - w) * (w * y + 1 - w) - x * y).square().mean().backward()
        return w.grad.item()

    assert gradient(equal - 0.01) > 0 > gradient(equal + 0.01)
    assert gradient(equal) == pytest.approx(0, abs=1e-3)
