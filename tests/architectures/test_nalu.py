import math

import pytest
import torch

from arith_lightning.architectures import NACLayer, NALULayer
from arith_lightning.streams import Purpose, Stream


def test_open_gate_gives_the_accumulator_and_half_open_gate_the_mean_of_both_paths():
    nac, nalu = NACLayer(3, 2).double(), NALULayer(3, 2).double()
    x = torch.tensor([[1.5, 0.25, 2.0]], dtype=torch.float64)
    with torch.no_grad():
        for name in ("w_hat", "m_hat"):
            nalu.get_parameter(name).copy_(nac.get_parameter(name))
        product = torch.exp(torch.log(x + 1e-7) @ nac.weights()["weight"].T)
        for gate, expected in ((100.0, nac(x)), (-100.0, product), (0.0, (nac(x) + product) / 2)):
            nalu.gate.fill_(gate)
            torch.testing.assert_close(nalu(x), expected)


def test_zero_inputs_stay_finite():
    nalu = NALULayer(2, 1)
    x = torch.zeros(1, 2, requires_grad=True)
    nalu(x).sum().backward()
    assert all(p.grad.isfinite().all() for p in nalu.parameters())


@pytest.mark.parametrize("size", [(2, 1), (100, 2)])
def test_published_gate_starts_glorot_uniform(size):
    r = math.sqrt(6 / sum(size))
    gates = [NALULayer(*size).initial(Stream(seed, Purpose.INITIALIZATION))["gate"] for seed in range(200)]
    assert 0.95 * r < torch.stack(gates).abs().max() <= r


def test_gate_scale_leaves_the_weights_alone():
    plain, scaled = (
        NALULayer(2, 1, gate_scale=scale).initial(Stream(3, Purpose.INITIALIZATION)) for scale in (1.0, 0.5)
    )
    assert torch.equal(plain["w_hat"], scaled["w_hat"])
    torch.testing.assert_close(plain["gate"] * 0.5, scaled["gate"])
