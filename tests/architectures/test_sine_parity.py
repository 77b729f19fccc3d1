import pytest
import torch

from arith_lightning.architectures import SineParity


@pytest.mark.parametrize("odd", [1, 3, -1, 5])
def test_exact_at_odd_multiples_of_half_pi(odd):
    module = SineParity(init_low=odd * torch.pi / 2, init_high=odd * torch.pi / 2).double()
    module.network.weight.data.fill_(odd * torch.pi / 2)
    x = torch.arange(200, dtype=torch.float64).unsqueeze(-1)
    torch.testing.assert_close(module(x), x % 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("damping", "expected"), [(0.0, (1 + 4 + 9) / 3), (2.0, (1 + 4 / 4 + 9 / 16) / 3)])
def test_damping_divides_the_squared_error_by_a_power_of_x(damping, expected):
    x, error = torch.tensor([0.0, 2.0, -4.0]), torch.tensor([1.0, 2.0, 3.0])
    zero = torch.zeros(3)
    assert SineParity(damping=damping).error(error, x, zero).item() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_equal_ends_start_every_seed_there(seed):
    assert SineParity(init_low=1.25, init_high=1.25, seed=seed).network.weight.item() == 1.25
