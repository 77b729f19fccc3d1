import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import ModifiedRealNPU, ModifiedRealNPULayer, RealNPULayer
from arith_lightning.streams import Purpose, Stream


def test_the_equation_is_that_of_a_real_npu():
    modified, plain = ModifiedRealNPULayer(3, 2), RealNPULayer(3, 2)
    x = torch.randn(10, 3)
    assert torch.equal(modified(x), functional_call(plain, dict(modified.named_parameters()), (x,)))


def test_gradients_numerically():
    layer = ModifiedRealNPULayer(3, 2).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]
    values = [(0.3 * torch.rand_like(p) + 0.2).requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(layer, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )


@pytest.mark.parametrize(("size", "bound"), [((2, 1), 0.5), ((100, 2), 0.2425356), ((30, 30), 0.3162278)])
def test_the_start_is_an_addition_unit_s(size, bound):
    starts = [ModifiedRealNPULayer(*size).initial(Stream(seed, Purpose.INITIALIZATION)) for seed in range(200)]
    weight = torch.cat([start["weight_real"].flatten() for start in starts])
    assert 0.98 * bound < weight.max() <= bound
    assert -bound <= weight.min() < -0.98 * bound
    assert starts[0]["gate"].tolist() == [0.5] * size[0]


def test_discretization_by_hand():
    layer = ModifiedRealNPULayer(2, 1)
    with torch.no_grad():
        layer.weight_real.copy_(torch.tensor([[-0.75, 0.5]]))
        layer.gate.copy_(torch.tensor([0.2, 0.9]))
    assert layer.discretization().item() == pytest.approx((0.25 + 0.5) / 2 + (0.2 + 0.1) / 2)


@pytest.mark.parametrize(("step", "share", "weight"), [(40_000, 0.0, 1e-7), (45_000, 0.5, 1e-7), (50_000, 1.0, 1e-7)])
def test_both_penalties_have_their_own_schedule(step, share, weight):
    module, zero = ModifiedRealNPU().double(), torch.zeros(1, 1, dtype=torch.float64)
    layer = module.network
    expected = share * layer.discretization() + weight * layer.penalty()
    assert module.loss(zero, zero, zero, torch.tensor(step)).item() == pytest.approx(expected.item())
    assert module.penalty_schedule(torch.tensor(0)).item() == pytest.approx(1e-9)


def test_published_settings():
    module = ModifiedRealNPU()
    assert module.learning_rate.item() == pytest.approx(5e-3)
    assert module.bounds() == {"network.weight_real": (-1.0, 1.0), "network.gate": (0.0, 1.0)}


def test_a_ramp_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="discretization_end; got 5; choose at least discretization_start=9"):
        ModifiedRealNPU(discretization_start=9, discretization_end=5)
