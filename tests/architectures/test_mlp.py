import math

import pytest
import torch

from arith_lightning.architectures import MLP


def test_a_stem_is_affine_and_has_no_activation():
    module = MLP(in_features=3, depth=1, width=4, stem=True, out_features=2)
    assert [tuple(p.shape) for p in module.parameters()] == [(4, 3), (4,), (4, 4), (4,), (2, 4), (2,)]
    stem, hidden, output = module.layers().values()
    x = torch.randn(5, 3)
    torch.testing.assert_close(module(x), output(torch.relu(hidden(stem(x)))))


def test_a_sigmoid_head_gives_probabilities_of_the_same_body():
    plain, sigmoid = MLP(seed=3), MLP(seed=3, head="sigmoid")
    x = torch.randn(5, 2)
    torch.testing.assert_close(sigmoid(x), torch.sigmoid(plain(x)))


def test_cross_entropy_by_hand():
    module = MLP(head="sigmoid", loss="cross_entropy")
    prediction, y = torch.tensor([0.25, 0.5]), torch.tensor([1.0, 0.0])
    error = module.error(prediction, prediction, y).item()
    assert error == pytest.approx((math.log(4) + math.log(2)) / 2)
    assert MLP(head="sigmoid").error(prediction, prediction, y).item() == pytest.approx((0.5625 + 0.25) / 2)


def test_cross_entropy_is_torch_s_and_lets_a_nan_through():
    module = MLP(head="sigmoid", loss="cross_entropy")
    prediction, y = torch.rand(100, requires_grad=True), (torch.rand(100) > 0.5).float()
    ours, torch_s = module.error(prediction, y, y), torch.nn.functional.binary_cross_entropy(prediction, y)
    torch.testing.assert_close(ours, torch_s)
    gradients = [torch.autograd.grad(value, prediction)[0] for value in (ours, torch_s)]
    torch.testing.assert_close(*gradients)
    assert module.error(torch.tensor([0.0, 1.0]), y, torch.tensor([1.0, 0.0])).isfinite()
    assert module.error(torch.tensor([torch.nan]), y, torch.zeros(1)).isnan()


def test_cross_entropy_of_unbounded_outputs_is_refused():
    with pytest.raises(ValueError, match="cross_entropy needs probabilities; head; got linear; set head: sigmoid"):
        MLP(loss="cross_entropy")


@pytest.mark.parametrize(("init", "low", "high"), [("default", 0.0, 1e-6), ("he", 1e-2, 1.0)])
def test_twenty_relu_layers_are_blind_to_their_inputs_from_torch_s_start_and_see_them_from_he_s(init, low, high):
    module = MLP(16, 16, depth=20, width=32, stem=True, init=init, head="sigmoid")
    x = torch.randint(2, (100, 16), generator=torch.Generator().manual_seed(0)) - 0.5
    assert low <= module(x).std(0).max() < high
