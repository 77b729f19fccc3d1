import math

import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import GNALULayer, MultiplicativeNACLayer, NALULayer

PHI = (1 + math.sqrt(5)) / 2


def given(layer, **values):
    return {name: torch.full_like(p, values[name]) for name, p in layer.named_parameters()}


def test_weight_by_hand():
    layer = GNALULayer(1, 1)
    with torch.no_grad():
        layer.w_hat.fill_(0.5)
        layer.m_hat.fill_(0.25)
    weight = layer.weights()["weight"].item()
    assert weight == pytest.approx(0.12512536, rel=1e-6)
    # tanh and sigmoid to the base of the golden ratio
    tanh, sigmoid = (PHI**1.0 - 1) / (PHI**1.0 + 1), 1 / (1 + PHI**-0.25)
    assert weight == pytest.approx(tanh * sigmoid, rel=1e-6)


def test_gate_by_hand():
    layer = GNALULayer(2, 1)
    with torch.no_grad():
        layer.gate.fill_(0.5)
    assert layer.gates(torch.tensor([1.0, 3.0])).item() == pytest.approx(1 / (1 + PHI**-2))


def test_the_multiplicative_path_is_that_of_base_e():
    x = torch.tensor([[2.0, 3.0]])
    golden, plain = GNALULayer(2, 1), MultiplicativeNACLayer(2, 1)
    scale = math.log(PHI)
    y = functional_call(golden, given(golden, w_hat=0.7, m_hat=0.4, gate=-200.0), (x,))
    expected = functional_call(plain, given(plain, w_hat=0.7 * scale, m_hat=0.4 * scale), (x,))
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize("kind", [NALULayer, GNALULayer])
@pytest.mark.parametrize("separate", [False, True])
def test_gradients_numerically(kind, separate):
    layer = kind(3, 2, separate=separate).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]
    values = [torch.rand_like(p).requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(layer, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )
