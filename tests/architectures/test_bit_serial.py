import itertools

import pytest
import torch

from arith_lightning.architectures import BitSerial, TruthTableLayer
from arith_lightning.data import BinaryMultiplication

FULL_ADDER = torch.tensor([[0.0, 1, 1, 0, 1, 0, 0, 1], [0.0, 0, 0, 1, 0, 1, 1, 1]])
"""Sum and carry of three bits."""


def multiplier(table=FULL_ADDER):
    module = BitSerial()
    with torch.no_grad():
        module.network.cell.table.copy_(table)
    return module


def test_a_truth_table_answers_bits_with_its_entries():
    cell = TruthTableLayer(3, 2)
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)))
    torch.testing.assert_close(cell(x), cell.table.mT)


def test_a_truth_table_answers_probabilities_with_the_expected_entry():
    cell = TruthTableLayer(2, 1)
    with torch.no_grad():
        cell.table.copy_(torch.tensor([[0.1, 0.2, 0.4, 0.8]]))
    p, q = 0.3, 0.6
    expected = 0.1 * (1 - p) * (1 - q) + 0.2 * (1 - p) * q + 0.4 * p * (1 - q) + 0.8 * p * q
    assert cell(torch.tensor([p, q])).item() == pytest.approx(expected)


def test_gradients_numerically():
    cell, x = TruthTableLayer(3, 2).double(), torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    table = torch.rand(2, 8, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x, table: torch.func.functional_call(cell, {"table": table}, (x,)), (x, table))


@pytest.mark.parametrize("bits", [1, 2, 3, 6, 16, 64])
def test_a_full_adder_multiplies_any_number_of_bits_exactly(bits):
    data = BinaryMultiplication(bits=3, train_share=1.0, coding="zero_one", test_bits=bits)
    x, y = data.evaluation_set("extrapolation")
    x, y = x[:, :100].mT, y[:, :100].mT
    assert torch.equal(multiplier()(x), y)


def test_every_entry_of_the_full_adder_matters():
    x, y = BinaryMultiplication(bits=3, train_share=1.0, coding="zero_one").evaluation_set("extrapolation")
    for index in itertools.product(range(2), range(8)):
        table = FULL_ADDER.clone()
        table[index] = 1 - table[index]
        assert (multiplier(table)(x.mT) != y.mT).any()


def test_the_penalty_is_the_distance_from_zero_or_one():
    assert multiplier(FULL_ADDER * 0.8).network.cell.penalty().item() == pytest.approx(0.1)
    assert multiplier().network.cell.penalty() == 0


@pytest.mark.parametrize("sizes", [(5, 5), (6, 4), (0, 0)])
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(ValueError, match="product of 2n bits; got in_features="):
        BitSerial(*sizes)
