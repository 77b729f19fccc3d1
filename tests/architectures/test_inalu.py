import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import iNALU, iNALULayer
from arith_lightning.architectures.layer import load
from arith_lightning.streams import Purpose, Stream

X = torch.tensor([[2.0, -3.0]])
ON, OFF = 20.0, 0.0


def layer(gate, add=(ON, ON), mul=(ON, ON), m_mul=(ON, ON), **options):
    built = iNALULayer(2, 1, **options)
    values = {"w_hat_add": [add], "m_hat_add": [(ON, ON)], "gate": [gate]}
    if not built.shared:
        values |= {"w_hat_mul": [mul], "m_hat_mul": [m_mul]}
    load(built, {name: torch.tensor(value) for name, value in values.items()})
    return built


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (layer(50.0), -1.0),
        (layer(50.0, add=(ON, -ON)), 5.0),
        (layer(-50.0), -6.0),
        (layer(-50.0, mul=(ON, -ON)), -2 / 3),
        (layer(-50.0, mul=(ON, OFF)), 2.0),
        (layer(0.0), (-1 - 6) / 2),
        (layer(-50.0, shared=True), -6.0),
        (layer(-50.0, add=(ON, -ON), shared=True), -2 / 3),
        # |M| = 1/2 of a negative input: the sign factor is 0
        (layer(-50.0, m_mul=(ON, 0.0)), 0.0),
    ],
)
def test_solutions_by_hand(built, expected):
    assert built(X).item() == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_the_exponent_is_cut_off_and_zero_is_finite():
    built = layer(-50.0)
    assert built(torch.tensor([[1e6, 1e6]])).item() == pytest.approx(math.exp(20), rel=1e-5)
    assert built(torch.zeros(1, 2)).item() == 0.0


def test_no_input_moves_the_gate():
    built = layer(0.3)
    gates = built.gates(torch.randn(7, 2))
    torch.testing.assert_close(gates, torch.full((7, 1), 1 / (1 + math.exp(-0.3))))


def test_penalty_by_hand():
    built = layer(-25.0, add=(1.0, -3.0), mul=(OFF, 30.0), m_mul=(19.0, 18.0))
    assert built.penalty().item() == pytest.approx((19 + 17) / 2 + 0 + (20 + 0) / 2 + (1 + 2) / 2 + 0)


@pytest.mark.parametrize(
    ("step", "error", "expected"), [(10_000, 0.5, 0.0), (10_001, 0.5, 1.0), (10_001, 1.0, 0.0), (40_000, 0.0, 1.0)]
)
def test_the_penalty_is_on_late_and_at_small_errors(step, error, expected):
    module = iNALU()
    x, y = torch.zeros(1, 2), torch.full((1, 1), math.sqrt(error))
    loss = module.loss(torch.zeros(1, 1), x, y, torch.tensor(step))
    penalty = 0.05 * module.network.penalty().item()
    assert loss.item() == pytest.approx(error + expected * penalty)


@pytest.mark.parametrize("shared", [False, True])
def test_gradients_numerically(shared):
    built = iNALULayer(3, 2, shared).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in built.named_parameters()]
    values = [(0.2 + 0.6 * torch.rand_like(p)).requires_grad_() for p in built.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(built, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )


def test_the_start_is_normal_around_its_centers():
    start = iNALULayer(50, 40).initial(Stream(0, Purpose.INITIALIZATION))
    for name, center in (("w_hat_add", 0.88), ("m_hat_mul", 0.5), ("gate", 0.0)):
        tolerance = 5 * 0.2 / start[name].numel() ** 0.5
        assert start[name].mean().item() == pytest.approx(center, abs=tolerance)
        assert start[name].std().item() == pytest.approx(0.2, abs=tolerance)
    assert not torch.equal(start["w_hat_add"], start["w_hat_mul"])
    built = iNALULayer(50, 40, init_scale=0.0)
    assert built.weights()["weight_add"].mean().item() == pytest.approx(0.43972, abs=1e-5)


def test_published_settings():
    module = iNALU()
    assert (module.learning_rate.item(), module.gradient_clip_value) == (pytest.approx(1e-3), 0.1)
    assert (module.penalty_weight.item(), module.restart_after.item()) == (pytest.approx(0.05), 5000)
    assert (module.restart_above.item(), module.restart_memory.item()) == (1.0, 64.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alternating": True}, "alternating steps need .*got adam; set optimizer: rmsprop"),
        ({"restart_range": 0.0}, "restart_range must be positive and finite, or null; got 0.0"),
        ({"restart_range": math.inf}, "restart_range must be positive"),
        ({"hidden_features": 0}, "at least one input and one output"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        iNALU(**options)
