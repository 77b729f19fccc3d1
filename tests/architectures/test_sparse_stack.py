import pytest
import torch

from arith_lightning.architectures import NPU, SparseStack
from arith_lightning.streams import Purpose, Stream


def test_the_start_is_small_and_positive_with_half_open_gates():
    start = SparseStack(40, layers=["NAU", "NPU"], hidden_features=30).initial(Stream(0, Purpose.INITIALIZATION))
    first, second = start["network.0.weight"], start["network.1.weight_real"]
    assert (first.shape, second.shape) == ((30, 40), (1, 30))
    for weight in (first, second):
        assert (weight.min() >= 0) & (weight.max() < 0.1)
    assert first.mean().item() == pytest.approx(0.05, abs=5 * 0.1 / 12**0.5 / 1200**0.5)
    assert (start["network.1.gate"] == 0.5).all()
    assert (start["network.1.weight_imag"] == 0).all()


def test_the_penalty_is_the_l1_norm_of_everything():
    module = SparseStack(3, hidden_features=2)
    norm = sum(parameter.abs().sum() for parameter in module.parameters()).item()
    for step, factor in ((0, 1e-5), (9_999, 1e-5), (10_000, 1e-4), (90_000, 1e-4)):
        penalty = module.penalty(torch.tensor(step), torch.tensor(0.0))
        assert penalty.item() == pytest.approx(factor * norm)


def test_the_staircase_is_that_of_a_power_unit():
    options = {"penalty_weight": 1e-5, "penalty_start": 100, "penalty_end": 20_000}
    unit, stack = NPU(**options), SparseStack(**options)
    for step in (0, 99, 100, 9_999, 10_000, 19_999, 20_000, 50_000):
        assert unit.penalty_schedule(torch.tensor(step)) == stack.penalty_schedule(torch.tensor(step))
    assert stack.penalty_schedule(torch.tensor(99)) == 0
