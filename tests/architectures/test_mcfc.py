import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import (
    MCFC,
    MCFCLayer,
    MulMCFCLayer,
    MulMCFCSignINALULayer,
    MulMCFCSignRealNPU,
    MulMCFCSignRealNPULayer,
)
from arith_lightning.streams import Purpose, Stream

X = torch.tensor([[2.0, -3.0]])
SIGNED = [MulMCFCSignINALULayer, MulMCFCSignRealNPULayer]
ALL = [MCFCLayer, MulMCFCLayer, *SIGNED]


def values(layer, **given):
    rows = {name: torch.zeros_like(p) for name, p in layer.named_parameters()}
    return rows | {name: torch.tensor(value) for name, value in given.items()}


def test_half_a_gate_lets_half_the_sum_through():
    layer = MCFCLayer(2, 1)
    assert functional_call(layer, values(layer), (X,)).item() == pytest.approx(-0.5)


def test_two_outputs_share_every_input():
    layer = MCFCLayer(2, 2)
    given = values(layer, redistribution=[[math.log(3.0), 0.0], [0.0, 0.0]], gate_bias=[30.0, 30.0])
    y = functional_call(layer, given, (X,))
    # shares of the first input 3/4 and 1/4, of the second one half each; nothing is created
    torch.testing.assert_close(y, torch.tensor([[0.0, -1.0]]))
    assert y.sum().item() == pytest.approx(X.sum().item())


@pytest.mark.parametrize(("open", "exact"), [(16.6, False), (16.7, True)])
def test_a_sum_is_exact_in_float32_from_an_opening_of_16_7(open, exact):
    layer = MCFCLayer(2, 1)
    y = functional_call(layer, values(layer, gate_weight=[open - 8], gate_bias=[8.0]), (X,))
    assert (y.item() == -1.0) == exact


def test_the_multiplicative_form_multiplies_positive_inputs():
    layer = MulMCFCLayer(2, 1)
    given = values(layer, gate_weight=[30.0])
    assert functional_call(layer, given, (X.abs(),)).item() == pytest.approx(6.0)
    # half open, the square root; the factor enters as its logarithm
    given = values(layer, log_factor=[math.log(5.0)])
    assert functional_call(layer, given, (X.abs(),)).item() == pytest.approx(5 * math.sqrt(6.0))
    assert functional_call(layer, given, (X,)).isnan()


@pytest.mark.parametrize(("x", "expected"), [((2.0, -3.0), -6.0), ((-2.0, -3.0), 6.0), ((2.0, 3.0), 6.0)])
@pytest.mark.parametrize("kind", SIGNED)
def test_signed_forms_multiply_any_inputs(kind, x, expected):
    layer = kind(2, 1)
    gate = {"gate": [1.0, 1.0]} if kind is MulMCFCSignRealNPULayer else {}
    y = functional_call(layer, values(layer, gate_weight=[30.0], **gate), (torch.tensor([x]),))
    assert y.item() == pytest.approx(expected, rel=1e-5)


def test_signs_half_way_by_hand():
    # two outputs with equal shares: an iNALU's sign of a negative input is -1/2 + 1/2 = 0
    layer = MulMCFCSignINALULayer(2, 2)
    assert functional_call(layer, values(layer), (X,)).tolist() == [[0.0, 0.0]]
    # one output, gate one half: a Real NPU's is cos(pi / 2)
    layer = MulMCFCSignRealNPULayer(2, 1)
    y = functional_call(layer, values(layer, gate=[0.5, 0.5]), (X,))
    assert y.item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_gradients_numerically(kind):
    layer = kind(3, 2).double()
    x = torch.tensor([[1.3, 0.7, 2.0], [1.1, 0.4, 0.6]], dtype=torch.float64)
    x = (x * torch.tensor([1, -1, 1]) if kind in SIGNED else x).requires_grad_()
    names = [name for name, _ in layer.named_parameters()]
    inside = [(0.1 + 0.8 * torch.rand_like(p)).requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(layer, dict(zip(names, values, strict=True)), (x,)), (x, *inside)
    )


def test_starts_are_orthonormal():
    start = MCFCLayer(3, 5).initial(Stream(2, Purpose.INITIALIZATION))
    torch.testing.assert_close(start["redistribution"].T @ start["redistribution"], torch.eye(3))
    assert start["gate_weight"].norm().item() == pytest.approx(1.0)
    assert not start["gate_bias"].any()
    assert torch.equal(MCFCLayer(3, 3).redistribution, torch.eye(3))
    assert MulMCFCSignRealNPULayer(2, 1).gate.tolist() == [0.5, 0.5]


def test_penalties_by_hand():
    layer = MulMCFCSignRealNPULayer(2, 1)
    given = {"redistribution": [[1.0, 3.0]], "gate_weight": [2.0], "gate_bias": [4.0], "gate": [0.5, 0.9]}
    with torch.no_grad():
        for name, value in given.items():
            layer.get_parameter(name).copy_(torch.tensor(value))
    assert MCFCLayer.penalty(layer).item() == pytest.approx(-(5 + 4 + 16))
    assert layer.penalty().item() == pytest.approx(-25 + 0.1 * (0.5 + 0.1) / 2)


@pytest.mark.parametrize("kind", [MCFC, MulMCFCSignRealNPU])
def test_published_settings(kind):
    module = kind()
    assert (module.learning_rate.item(), module.penalty_weight.item()) == (pytest.approx(1e-3), 10.0)
    assert (module.penalty_start.item(), module.penalty_end.item()) == (20_000, 35_000)
