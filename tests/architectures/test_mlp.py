import math

import pytest
import torch
from torch import nn

from arith_lightning.architectures import MLP, LinearLayer
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "silu"])
def test_computes_what_torch_s_own_layers_compute(activation):
    module = MLP(in_features=3, out_features=2, depth=2, width=4, activation=activation)
    function = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU}[activation]
    own = nn.Sequential(nn.Linear(3, 4), function(), nn.Linear(4, 4), function(), nn.Linear(4, 2))
    for mine, torch_s in zip(own.parameters(), module.parameters(), strict=True):
        mine.data.copy_(torch_s.data)
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module(x), own(x))


def test_depth_zero_is_linear():
    module, x = MLP(in_features=2, depth=0), torch.randn(2, 5, 2)
    torch.testing.assert_close(module(x[0]) + module(x[1]), module(x[0] + x[1]) + module(torch.zeros(5, 2)))


@pytest.mark.parametrize(
    ("init", "std"),
    [("default", 1 / math.sqrt(3 * 100)), ("he", math.sqrt(2 / 100)), ("xavier", math.sqrt(2 / 150))],
)
def test_starts_have_their_spread(init, std):
    drawn = LinearLayer(100, 50, init, init_scale=2.0).initial(Stream(0, Purpose.INITIALIZATION))
    assert drawn["weight"].std().item() == pytest.approx(2 * std, rel=0.03)
    assert drawn["bias"].any() == (init == "default")


@pytest.mark.parametrize(("depth", "width"), [(-1, 4), (2, 0)])
def test_wrong_shapes_are_refused(depth, width):
    with pytest.raises(ValueError, match=f"needs depth >= 0 and width >= 1; got depth={depth}, width={width}; try"):
        MLP(depth=depth, width=width)
