"""A formula is what its layer computes: read back as code, it gives the layer's answers."""

import math
import re

import pytest
import torch
from torch import nn

from arith_lightning import architectures
from arith_lightning.architectures import MLP, NALU, NMU, Network, Stack, iNALULayer
from arith_lightning.architectures.equations import expressions
from arith_lightning.architectures.stack import stackable

READABLE = [
    "NAU", "NMU", "NAC", "NALU", "GNALU", "iNALU", "MultiplicativeNAC", "SigmoidNAC", "LinearNAC", "RealNPU", "NPU",
    "ModifiedRealNPU", "NRU", "sNMU", "Linear",
]  # fmt: skip


def computed(text, x):
    """Read a formula as code."""
    text = re.sub(r"\|(\w+)\|", r"abs(\1)", text).replace("^", "**")
    text = re.sub(r"\[(\w+) < 0\]", r"below(\1)", text)
    text = re.sub(r"(?<![\w.*])(\d[\d.e-]*) (?=[a-z(])", r"\1 * ", text)
    known = {
        "abs": abs,
        "sign": lambda v: (v > 0) - (v < 0),
        "below": lambda v: float(v < 0),
        "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
        "cos": math.cos,
        "pi": math.pi,
    }
    return eval(text, known, dict(zip(("a", "b"), x.tolist(), strict=True)))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", READABLE)
def test_a_formula_gives_the_answers_of_its_layer(name, whole):
    layer = getattr(architectures, f"{name}Layer")(2, 2).eval()
    values = [[1.0, 0.0], [1.0, 1.0]] if whole else [[0.7, 0.2], [0.4, 0.8]]
    with torch.no_grad():
        for own, parameter in layer.named_parameters():
            if own not in ("gate", "bias", "weight_imag"):
                parameter.copy_(torch.tensor(values))
                if "hat" in own and whole:
                    parameter.mul_(40).sub_(0 if name != "SigmoidNAC" else 20)
                    parameter.copy_(parameter if own.startswith("w") else 40.0)
            elif own == "gate" and whole:
                parameter.fill_(1.0 if "NPU" in name else 30.0)
    x = torch.tensor([[1.5, 2.5], [0.5, 3.0], [-1.25, 2.0]])
    texts = expressions(layer, ["a", "b"], x[:2] if whole else None)
    assert len(texts) == 2
    for row, answer in zip(x, layer(x), strict=True):
        found = [computed(text, row) for text in texts]
        assert found == pytest.approx(answer.tolist(), rel=5e-3, abs=5e-3), texts


def test_every_layer_with_a_formula_is_tested():
    found = {name for name, kind in stackable().items() if expressions(kind(2, 1), ["a", "b"], None)}
    assert found <= {*READABLE}


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        ([[1.0, 0.999]], "y = a * b"),
        ([[0.0, 1.0]], "y = b"),
        ([[0.0, 0.0]], "y = 1"),
        ([[0.5, 1]], "y = (0.5 a + 0.5) * b"),
    ],
)
def test_a_product_is_told(weight, told):
    module = NMU()
    with torch.no_grad():
        module.network.weight.copy_(torch.tensor(weight))
    assert module.formula(["a", "b"], ["y"]) == [told]


def test_a_sum_is_told_with_its_signs_and_constant():
    module = Network(lambda: nn.Linear(2, 1))
    with torch.no_grad():
        module.network.weight.copy_(torch.tensor([[-1.0, 0.25]]))
        module.network.bias.fill_(-2.0)
    assert module.formula(["a", "b"], ["y"]) == ["y = -a + 0.25 b - 2"]


def test_layers_one_after_the_other_hand_numbers_on():
    module = Stack()
    with torch.no_grad():
        module.network[0].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        module.network[1].weight.fill_(1.0)
    assert module.formula(["a", "b"], ["y"]) == ["h1 = a + b", "h2 = a - b", "y = h1 * h2"]


def test_gates_are_judged_by_examples():
    module = NALU()
    with torch.no_grad():
        for name, value in (("w_hat", 20.0), ("m_hat", 20.0), ("gate", -9.0)):
            module.network.get_parameter(name).fill_(value)
    assert module.formula(["a", "b"], ["y"], torch.ones(3, 2)) == ["y = |a| * |b|"]
    assert module.formula(["a", "b"], ["y"], -torch.ones(3, 2)) == ["y = a + b"]
    assert "sigmoid(-9 a - 9 b)" in module.formula(["a", "b"], ["y"])[0]


def test_what_has_no_such_reading_has_no_formula():
    assert MLP().formula(["a", "b"], ["y"]) == []

    class Other(iNALULayer):
        def forward(self, x):
            return super().forward(x) + 1

    assert expressions(Other(2, 1), ["a", "b"], None) == []
