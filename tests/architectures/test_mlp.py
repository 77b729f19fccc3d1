import math
from typing import get_args

import pytest
import torch

from arith_lightning.architectures import MLP, LinearLayer
from arith_lightning.architectures.activations import ACTIVATIONS, HEADS, Activation, Head
from arith_lightning.architectures.layer import load
from arith_lightning.streams import Purpose, Stream


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
    with pytest.raises(ValueError, match=r"the head sigmoid; got head: linear; set head: sigmoid"):
        MLP(loss="cross_entropy")


@pytest.mark.parametrize(
    ("head", "torch_s"), [("sigmoid", "binary_cross_entropy_with_logits"), ("softmax", "cross_entropy")]
)
def test_logits_are_torch_s_in_training_and_probabilities_in_evaluation(head, torch_s, double):
    module = MLP(2, 3, head=head, loss="logits").train()
    x, y = torch.randn(5, 2), torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 1, 0]), 3).double()
    logits = module.network[0](x)
    expected = getattr(torch.nn.functional, torch_s)(logits, y)
    assert torch.allclose(module.error(module(x), x, y), expected)
    assert torch.allclose(module.error(module(x).T, x.T, y.T), expected)  # examples along any axis
    probabilities = module.eval()(x)
    assert torch.allclose(probabilities, logits.sigmoid() if head == "sigmoid" else logits.softmax(-1))
    assert torch.allclose(module.error(probabilities, x, y), expected)


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_logits_as_large_as_can_be_have_the_gradient_of_a_wrong_answer(head):
    module = MLP(1, 2, depth=0, head=head, loss="logits").train()
    with torch.no_grad():
        module.network[0][0].weight.copy_(torch.tensor([[1e6], [-1e6]]))
    module.error(module(torch.ones(1, 1)), None, torch.tensor([[0.0, 1.0]])).backward()
    size = 0.5 if head == "sigmoid" else 1.0  # the mean over outputs, or over examples alone
    assert torch.allclose(module.network[0][0].weight.grad, torch.tensor([[size], [-size]]))


def test_logits_without_probabilities_are_refused():
    with pytest.raises(ValueError, match=r"logits need a head that makes them probabilities; got head: linear;"):
        MLP(loss="logits")
    with pytest.raises(ValueError, match=r"the head sigmoid; got head: softmax; set loss: logits"):
        MLP(head="softmax", loss="cross_entropy")


def test_widths_give_each_hidden_layer_its_size_and_the_stem_stays_affine():
    module = MLP(widths=[3, 5, 3, 5], stem=True, head="relu")
    assert [(layer.in_features, layer.out_features) for layer in module.layers().values()] == [
        (2, 3),
        (3, 5),
        (5, 3),
        (3, 5),
        (5, 1),
    ]
    body = module.network[0]
    assert [type(part).__name__ for part in body].count("ReLU") == 3
    assert isinstance(body[1], LinearLayer)
    assert (module(torch.randn(100, 2)) >= 0).all()


def test_two_squares_multiply():
    module = MLP(in_features=2, widths=[2], activation="square")
    load(
        module,
        {
            "network.0.weight": torch.tensor([[1.0, 1.0], [1.0, -1.0]]),
            "network.0.bias": torch.zeros(2),
            "network.2.weight": torch.tensor([[0.25, -0.25]]),
            "network.2.bias": torch.zeros(1),
        },
    )
    x = torch.tensor([[3.0, 7.0], [-2.0, 5.0]])
    assert module(x).flatten().tolist() == [21.0, -10.0]


def test_a_softmax_head_sums_to_one():
    y = MLP(out_features=3, head="softmax")(torch.randn(4, 2))
    torch.testing.assert_close(y.sum(-1), torch.ones(4))
    assert (y > 0).all()


@pytest.mark.parametrize("widths", [[0], [3, -1]])
def test_sizes_that_are_not_positive_are_refused(widths):
    with pytest.raises(ValueError, match=r"widths must be positive"):
        MLP(widths=widths)


def test_every_named_activation_exists():
    assert set(get_args(Activation)) == set(ACTIVATIONS)
    assert set(get_args(Head)) == set(HEADS)


@pytest.mark.parametrize(("init", "low", "high"), [("default", 0.0, 1e-6), ("he", 1e-2, 1.0)])
def test_twenty_relu_layers_are_blind_to_their_inputs_from_torch_s_start_and_see_them_from_he_s(init, low, high):
    module = MLP(16, 16, depth=20, width=32, stem=True, init=init, head="sigmoid")
    x = torch.randint(2, (100, 16), generator=torch.Generator().manual_seed(0)) - 0.5
    assert low <= module(x).std(0).max() < high


@pytest.mark.parametrize(
    ("activation", "bound"),
    [
        ("none", math.sqrt(6 / 140)),
        ("sigmoid", math.sqrt(6 / 140)),
        ("tanh", 5 / 3 * math.sqrt(6 / 140)),
        ("relu", math.sqrt(6 / 100)),
        ("relu6", math.sqrt(6 / 100)),
        ("elu", math.sqrt(6 / 100)),
        ("selu", math.sqrt(3 / 100)),
    ],
)
def test_published_starts_of_the_baselines(activation, bound):
    module = MLP(in_features=100, depth=1, width=40, activation=activation, init="published")
    hidden, output = module.layers().values()
    for layer, expected in ((hidden, bound), (output, math.sqrt(6 / 41))):
        assert 0.9 * expected < layer.weight.max() <= expected
        assert -expected <= layer.weight.min() < -0.9 * expected
        assert not layer.bias.any()


@pytest.mark.parametrize("depth", [0, 1])
def test_the_linear_baseline_adds_and_subtracts_exactly(depth):
    module = MLP(in_features=2, depth=depth, width=2, activation="none", init="published")
    values = {name: torch.zeros_like(p) for name, p in module.named_parameters()}
    first, *rest = [name for name in values if name.endswith("weight")]
    values[first] = torch.tensor([[1.0, -1.0], [0.0, 0.0]][: 1 + depth])
    for name in rest:
        values[name] = torch.tensor([[1.0, 0.0]])
    load(module, values)
    assert module(torch.tensor([2.0, -3.0])).item() == 5.0


def test_without_biases_and_with_an_odd_activation_a_network_is_odd():
    x = torch.randn(9, 2)
    for activation, odd in (("tanh", True), ("sin", True), ("relu", False)):
        module = MLP(activation=activation, bias=False, seed=3)
        assert not [name for name, _ in module.named_parameters() if "bias" in name]
        assert torch.allclose(module(-x), -module(x), atol=1e-6) == odd
    assert not torch.allclose(MLP(activation="tanh", seed=3)(-x), -MLP(activation="tanh", seed=3)(x), atol=1e-3)


def test_a_network_without_biases_starts_from_the_same_weights():
    with_, without = MLP(seed=5), MLP(seed=5, bias=False)
    for name, parameter in without.named_parameters():
        assert torch.equal(parameter, with_.get_parameter(name))


def test_the_hinge_loss_by_hand_in_training_and_in_evaluation():
    module = MLP(2, 1, head="sigmoid", loss="hinge")
    z, y = torch.tensor([[2.0], [0.25], [-3.0], [0.5]]), torch.tensor([[1.0], [1.0], [0.0], [0.0]])
    # margins 2, 0.25, 3 and -0.5: 0 + 0.75 + 0 + 1.5
    assert module.train().error(z, z, y).item() == pytest.approx(2.25 / 4)
    assert module.eval().error(z.sigmoid(), z, y).item() == pytest.approx(2.25 / 4)


def test_the_hinge_loss_needs_the_sigmoid_head():
    with pytest.raises(
        ValueError, match="the hinge loss needs an answer of two sides, the head sigmoid; got head: lin"
    ):
        MLP(2, 1, loss="hinge")


def test_a_start_of_signs_has_one_magnitude_and_both_signs():
    weight = LinearLayer(16, 50, init="signs").initial(Stream(0, Purpose.INITIALIZATION))["weight"]
    assert set(weight.unique().tolist()) == {-0.25, 0.25}
    assert abs(weight.mean().item()) < 0.05
