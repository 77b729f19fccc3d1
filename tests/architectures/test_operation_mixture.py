import math

import pytest
import torch

from arith_lightning.architectures import OperationMixture, OperationMixtureLayer
from arith_lightning.architectures.layer import load

X = torch.tensor([[4.0, 2.0], [9.0, 3.0]])
ANSWERS = {
    "add": [6.0, 12.0],
    "sub": [2.0, 6.0],
    "mul": [8.0, 27.0],
    "div": [2.0, 3.0],
    "square": [16.0, 81.0],
    "root": [2.0, 3.0],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_chosen_candidate_answers_alone(name):
    layer = OperationMixtureLayer(2, list(ANSWERS))
    logits = torch.tensor([[200.0 if other == name else 0.0 for other in ANSWERS]])
    load(layer, {"logits": logits})
    assert layer(X).flatten().tolist() == ANSWERS[name]
    assert layer.penalty().item() == pytest.approx(0, abs=1e-6)


def test_equal_logits_average_the_candidates():
    layer = OperationMixtureLayer(2, ["add", "mul"], init_logit=0.01)
    assert layer(X).flatten().tolist() == [7.0, 19.5]
    assert layer.penalty().item() == pytest.approx(math.log(2))


def test_a_dense_candidate_is_affine_and_starts_as_torch_s():
    layer = OperationMixtureLayer(2, ["mul", "dense"])
    assert layer.weight.abs().max() <= 1 / math.sqrt(2)
    expected = (X.prod(-1, keepdim=True) + X @ layer.weight.T + layer.bias) / 2
    torch.testing.assert_close(layer(X), expected)


def test_one_input_is_both_operands():
    layer = OperationMixtureLayer(1, ["mul", "square"])
    assert layer(torch.tensor([[3.0]])).item() == 9.0


@pytest.mark.parametrize("candidates", [["mul"], ["mul", "mul"], ["mul", "modulo"]])
def test_candidates_that_cannot_be_mixed_are_refused(candidates):
    with pytest.raises(ValueError, match=r"two or more different operations; got .*; choose from add, sub"):
        OperationMixture(candidates=candidates)
