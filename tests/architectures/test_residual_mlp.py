import pytest
import torch

from arith_lightning.architectures import ResidualLayer, ResidualMLP


def test_a_layer_by_hand():
    layer = ResidualLayer(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        layer.bias.copy_(torch.tensor([0.0, 3.0]))
    # norm(3, 5) = (-1, 1) up to the 1e-5 added to the variance; gelu(z) = z Phi(z), Phi(-1) = 0.158655, Phi(5) = 1
    torch.testing.assert_close(layer(torch.tensor([3.0, 5.0])), torch.tensor([3 - 0.158655, 10.0]), atol=3e-5, rtol=0)


def test_without_hidden_weights_the_layers_are_the_identity():
    module = ResidualMLP(in_features=3, depth=4, width=8, out_features=2, head="sigmoid")
    stem, *hidden, output = module.layers().values()
    with torch.no_grad():
        for layer in hidden:
            layer.weight.zero_()
    x = torch.randn(5, 3)
    expected = torch.sigmoid(output(torch.nn.functional.layer_norm(stem(x), (8,))))
    torch.testing.assert_close(module(x), expected)


def test_the_gradient_reaches_the_stem_at_any_depth():
    norms = []
    for depth in (1, 40):
        module = ResidualMLP(in_features=4, depth=depth, width=32, seed=1)
        module(torch.ones(4)).sum().backward()
        stem, *_ = module.layers().values()
        norms.append(stem.weight.grad.norm().item())
    assert norms[1] > 0.01 * norms[0]


@pytest.mark.parametrize("arguments", [{"depth": -1}, {"width": 1}])
def test_wrong_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match="a residual MLP needs depth >= 0 and width >= 2"):
        ResidualMLP(**arguments)
