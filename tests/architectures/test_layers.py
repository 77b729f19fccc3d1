import json
from pathlib import Path

import pytest
import torch

from arith_lightning import architectures
from arith_lightning.architectures import LinearLayer, NACLayer, NALULayer, NAULayer, NMULayer, SineParityLayer
from arith_lightning.architectures.nac import published_range
from arith_lightning.streams import Purpose, Stream

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "layers_2x1.json").read_text())
X = torch.tensor([[2.0, -3.0]])


def layer(kind, **values):
    built = kind(2, 1)
    with torch.no_grad():
        for name, value in values.items():
            built.get_parameter(name).copy_(torch.tensor([value]))
    return built


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (layer(NAULayer, weight=(1.0, 1.0)), -1.0),
        (layer(NAULayer, weight=(1.0, -1.0)), 5.0),
        (layer(NMULayer, weight=(1.0, 1.0)), -6.0),
        (layer(NMULayer, weight=(1.0, 0.0)), 2.0),
        (layer(NMULayer, weight=(0.5, 0.5)), -1.5),
        (layer(NACLayer, w_hat=(20.0, 20.0), m_hat=(20.0, 20.0)), -1.0),
        (layer(NACLayer, w_hat=(20.0, -20.0), m_hat=(20.0, 20.0)), 5.0),
        (layer(NACLayer, w_hat=(0.5, 0.5), m_hat=(0.25, 0.25)), -0.25979141),
        (layer(NALULayer, w_hat=(20.0, 20.0), m_hat=(20.0, 20.0), gate=(-50.0, 0.0)), 6.0),
        (layer(NALULayer, w_hat=(20.0, 20.0), m_hat=(20.0, 20.0), gate=(50.0, 0.0)), -1.0),
    ],
)
def test_solutions_by_hand(built, expected):
    assert built(X).item() == pytest.approx(expected, rel=1e-6)


def test_nmu_gradient_by_hand():
    built = layer(NMULayer, weight=(0.5, 0.5))
    built(X).backward()
    assert built.weight.grad.tolist() == [[-1.0, -6.0]]


def test_nac_weight_gradients_by_hand():
    built = layer(NACLayer, w_hat=(0.5, 0.0), m_hat=(0.25, 0.0))
    built.weights()["weight"][0, 0].backward()
    assert built.w_hat.grad[0, 0].item() == pytest.approx(0.44212243, rel=1e-6)
    assert built.m_hat.grad[0, 0].item() == pytest.approx(0.11374278, rel=1e-6)


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_reference_vectors(name):
    case = {key: value for key, value in REFERENCE[name].items()}
    built = getattr(architectures, f"{name}Layer")(2, 1)
    with torch.no_grad():
        for key, value in case["param"].items():
            built.get_parameter(key).copy_(torch.tensor(value))
    x = torch.tensor(case["x"], requires_grad=True)
    y = built(x)
    (y * torch.tensor(case["c"])).sum().backward()
    torch.testing.assert_close(y, torch.tensor(case["y"]), rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(x.grad, torch.tensor(case["dx"]), rtol=1e-5, atol=1e-5)
    for key, value in case["grad"].items():
        torch.testing.assert_close(built.get_parameter(key).grad, torch.tensor(value), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(1, 3), (2, 3), (7, 3), (8, 3), (9, 3), (100, 3), (9, 17)])
@pytest.mark.parametrize("kind", [NMULayer, NAULayer])
def test_every_fan_in_computes_the_equation(kind, fan_in, fan_out):
    built, x = kind(fan_in, fan_out).double(), torch.rand(5, fan_in, dtype=torch.float64)
    terms = built.weight * x.unsqueeze(-2)
    expected = terms.sum(-1) if kind is NAULayer else (terms + 1 - built.weight).prod(-1)
    torch.testing.assert_close(built(x), expected)


@pytest.mark.parametrize("kind", [NACLayer, NALULayer, NAULayer, NMULayer, LinearLayer])
def test_gradients_numerically(kind):
    built = kind(3, 2).double()
    x = (torch.rand(4, 3, dtype=torch.float64) + 0.5).requires_grad_()
    names = [name for name, _ in built.named_parameters()]
    inputs = [torch.rand_like(p).requires_grad_() for p in built.parameters()]
    torch.autograd.gradcheck(
        lambda x, *values: torch.func.functional_call(built, dict(zip(names, values, strict=True)), (x,)), (x, *inputs)
    )


@pytest.mark.parametrize(
    ("size", "r"), [((100, 2), 0.503909), ((100, 1), 0.506593), ((10, 1), 2.260468), ((2, 1), 9.471406)]
)
def test_nac_range(size, r):
    assert published_range(*size) == pytest.approx(r, abs=1e-6)


@pytest.mark.parametrize(
    ("built", "name", "low", "high"),
    [
        (NMULayer(50, 40), "weight", 0.25, 0.75),
        (NMULayer(50, 40, init_center=0.7, init_scale=0.2), "weight", 0.5, 0.9),
        (NAULayer(100, 2), "weight", -0.2425356, 0.2425356),
        (NACLayer(50, 40, init="uniform", init_scale=2.0), "w_hat", -2.0, 2.0),
        (NACLayer(50, 40, init="truncated_normal", init_scale=0.02), "w_hat", -0.04, 0.04),
        (LinearLayer(16, 40), "bias", -0.25, 0.25),
    ],
)
def test_start_fills_its_range(built, name, low, high):
    values = built.initial(Stream(0, Purpose.INITIALIZATION))[name]
    assert low <= values.min() < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < values.max() <= high


@pytest.mark.parametrize("size", [(8, 8), (8, 3), (3, 8)])
def test_orthogonal_start_is_orthonormal(size):
    weight = LinearLayer(*size, init="orthogonal").weight.detach()
    gram = weight @ weight.T if len(weight) <= weight.shape[1] else weight.T @ weight
    torch.testing.assert_close(gram, torch.eye(len(gram)))


def test_layers_start_from_torch_s_seed():
    starts = []
    for _ in range(2):
        torch.manual_seed(3)
        starts.append(NMULayer(2, 1).weight)
    assert torch.equal(*starts)
    assert not torch.equal(NMULayer(2, 1).weight, starts[0])


def test_sine_parity_is_exact_at_half_pi():
    built = SineParityLayer(torch.pi / 2, torch.pi / 2)
    x = torch.arange(1000.0).unsqueeze(-1)
    assert torch.equal((built(x) > 0.5).squeeze(), x.squeeze() % 2 == 1)


@pytest.mark.parametrize("kind", [NMULayer, NAULayer, NACLayer])
def test_empty_sizes_are_refused(kind):
    with pytest.raises(ValueError, match="at least one input and one output; got in_features=0"):
        kind(0, 1)
