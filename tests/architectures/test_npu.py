import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import NPU, NPULayer, RealNPU, RealNPULayer
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize("kind", [RealNPULayer, NPULayer])
@pytest.mark.parametrize(
    ("powers", "gate", "expected"),
    [
        ((1.0, 1.0), (1.0, 1.0), -6.0),
        ((1.0, -1.0), (1.0, 1.0), -2 / 3),
        ((0.5, 0.0), (1.0, 1.0), math.sqrt(2)),
        ((1.0, 1.0), (1.0, 0.0), 2.0),
        ((1.0, 2.0), (1.0, 1.0), 18.0),
        ((1.0, 1.0), (5.0, -5.0), 2.0),
        ((0.0, 1.0), (1.0, 0.5), 0.0),
    ],
)
def test_powers_of_two_and_minus_three_by_hand(kind, powers, gate, expected):
    layer = kind(2, 1)
    values = {"weight_real": torch.tensor([powers]), "gate": torch.tensor(gate)}
    y = functional_call(layer, values, (torch.tensor([[2.0, -3.0]]),))
    assert y.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_an_imaginary_power_turns_and_scales():
    values = {
        "weight_real": torch.zeros(1, 1),
        "weight_imag": torch.ones(1, 1),
        "gate": torch.ones(1),
    }
    layer = NPULayer(1, 1)
    turned = functional_call(layer, values, (torch.tensor([[math.e], [-1.0]]),))
    torch.testing.assert_close(turned.flatten(), torch.tensor([math.cos(1.0), math.exp(-math.pi)]))


def test_the_start_is_glorot_uniform_with_gates_at_one_half():
    values = NPULayer(3, 200).initial(Stream(1, Purpose.INITIALIZATION))
    bound = math.sqrt(6 / 203)
    assert values["weight_real"].abs().max() < bound
    assert values["weight_real"].std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert values["gate"].tolist() == [0.5] * 3
    assert not values["weight_imag"].any()


@pytest.mark.parametrize("kind", [RealNPU, NPU])
def test_the_penalty_is_the_sum_of_all_magnitudes(kind):
    layer = kind().network
    assert layer.penalty().item() == pytest.approx(sum(p.abs().sum().item() for p in layer.parameters()))


@pytest.mark.parametrize("kind", [RealNPULayer, NPULayer])
def test_gradients_numerically(kind):
    layer = kind(3, 2).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]
    values = [(0.3 * torch.rand_like(p) + 0.2).requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(layer, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )


def test_the_imaginary_form_at_interior_values():
    """At powers 0.5 + 0.1i and 0.5 + 0.2i and gates of one half, input (2, -3)."""
    values = {
        "weight_real": torch.tensor([[0.5, 0.5]]),
        "weight_imag": torch.tensor([[0.1, 0.2]]),
        "gate": torch.tensor([0.5, 0.5]),
    }
    assert functional_call(NPULayer(2, 1), values, (torch.tensor([[2.0, -3.0]]),)).item() == pytest.approx(0.7208091)


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 1e-7), (9_999, 1e-7), (10_000, 1e-6), (19_999, 1e-6), (20_000, 1e-5), (50_000, 1e-5)]
)
@pytest.mark.parametrize("kind", [RealNPU, NPU])
def test_the_penalty_grows_tenfold_every_ten_thousand_steps(kind, step, expected):
    module, zero = kind(), torch.zeros(1, 1)
    assert module.penalty_schedule(torch.tensor(step)).item() == pytest.approx(expected)
    loss = module.loss(zero, zero, zero, torch.tensor(step)).item()
    assert loss == pytest.approx(expected * module.network.penalty().item())


def test_the_penalty_starts_where_told():
    module = RealNPU(penalty_weight=1e-7, penalty_start=5_000, penalty_end=15_000)
    steps = {4_999: 0.0, 5_000: 1e-8, 14_999: 1e-8, 15_000: 1e-7}
    assert {t: module.penalty_schedule(torch.tensor(t)).item() for t in steps} == pytest.approx(steps)


def test_published_learning_rate():
    assert NPU().learning_rate.item() == pytest.approx(5e-3)
