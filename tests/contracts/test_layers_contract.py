"""What holds for every exported layer."""

import pytest
import torch
from torch.func import functional_call, vmap

from arith_lightning import architectures as package
from arith_lightning.architectures import ArithmeticLayer, SineParityLayer
from arith_lightning.streams import Purpose, Stream

EXPORTED = [getattr(package, name) for name in package.__all__]
LAYERS = [kind for kind in EXPORTED if issubclass(kind, ArithmeticLayer) and kind is not ArithmeticLayer]


def build(kind):
    return kind() if kind is SineParityLayer else kind(3, 2)


@pytest.fixture(params=LAYERS)
def layer(request):
    return build(request.param)


def inside(layer, generator):
    """Parameters well inside their bounds and away from the kinks of penalties."""
    values = {}
    for name, parameter in layer.named_parameters():
        low, high = layer.bounds.get(name, (-1.0, 1.0))
        unit = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
        values[name] = low + (high - low) * (0.05 + 0.4 * unit)
    return values


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_gradients_numerically(layer, sign):
    generator = torch.Generator().manual_seed(0)
    layer = layer.double()
    names, values = zip(*inside(layer, generator).items(), strict=True)
    values = [value.requires_grad_() for value in values]
    x = sign * (torch.rand(4, layer.in_features, generator=generator, dtype=torch.float64) + 0.1)

    def function(x, *values):
        return functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x.requires_grad_(), *values))


def test_initial_is_pure_complete_and_within_bounds(layer):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, second, other = (layer.initial(Stream(seed, Purpose.INITIALIZATION)) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.keys() == dict(layer.named_parameters()).keys()
    for name, value in first.items():
        assert value.shape == layer.get_parameter(name).shape
        assert torch.equal(value, second[name])
        assert not torch.equal(value, other[name])
        low, high = layer.bounds.get(name, (-torch.inf, torch.inf))
        assert low <= value.min()
        assert value.max() <= high


def test_hyperparameters_are_scalar_double_buffers(layer):
    for buffer in layer.buffers():
        assert (buffer.dim(), buffer.dtype) == (0, torch.float64)


def test_bounds_and_weights_name_what_exists(layer):
    assert set(layer.bounds) <= dict(layer.named_parameters()).keys()
    for weight in layer.weights().values():
        assert weight.shape == (layer.out_features, layer.in_features)
    assert layer.penalty().dim() == 0
    assert layer.penalty() >= 0


def test_examples_may_lie_along_any_axis_and_members_are_mapped(layer):
    generator = torch.Generator().manual_seed(1)
    layer = layer.double()
    members = [inside(layer, generator) for _ in range(3)]
    stacked = {name: torch.stack([member[name] for member in members]) for name in members[0]}
    x = torch.rand(3, layer.in_features, 5, generator=generator, dtype=torch.float64) + 0.1

    def member(values, x):
        return vmap(lambda x: functional_call(layer, values, (x,)), in_dims=-1, out_dims=-1)(x)

    mapped = vmap(member)(stacked, x)
    for k, values in enumerate(members):
        torch.testing.assert_close(mapped[k], functional_call(layer, values, (x[k].mT,)).mT, rtol=1e-12, atol=1e-13)
