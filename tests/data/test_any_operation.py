import pytest
import torch

from arith_lightning.architectures import iNALU
from arith_lightning.data import AnyOperation, SingleModuleTask
from arith_lightning.data.any_operation import NAMES
from arith_lightning.population import Population
from arith_lightning.results import rows
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize("number", range(4))
def test_a_number_asks_what_a_name_asks(number):
    ranges = [-2, 2], [[-6, -2], [2, 6]]
    numbered, named = AnyOperation(number, *ranges), SingleModuleTask(NAMES[number], *ranges)
    for split in ("interpolation", "extrapolation"):
        drawn, expected = (
            data.draw(Stream(3, Purpose.TRAINING, 7), data.columns(), split, 50) for data in (numbered, named)
        )
        assert torch.equal(drawn[0], expected[0])
        assert torch.equal(drawn[1], expected[1])
    assert numbered.threshold(numbered.columns()) == named.threshold(named.columns())


def test_targets_by_hand():
    for number in range(4):
        data = AnyOperation(number)
        (a, b), y = data.draw(Stream(0, Purpose.TRAINING), data.columns(), "interpolation", 3)
        for k in range(3):
            first, second = a[k].item(), b[k].item()
            answer = (first + second, first - second, first * second, first / second)[number]
            assert y[0, k].item() == pytest.approx(answer, rel=1e-6)


@pytest.mark.usefixtures("double")
def test_members_of_one_population_are_asked_different_operations(trainer):
    settings = [{"operation": number, "learning_rate": 0.01} for number in range(4)]
    together = Population(iNALU(), AnyOperation(), seeds=[4, 1], settings=settings, evaluate_every=5)
    trainer(10).fit(together)
    assert [row["operation"] for row in rows(together)] == [name for name in NAMES for _ in range(2)]
    for number, name in enumerate(NAMES):
        alone = Population(iNALU(learning_rate=0.01), SingleModuleTask(name), seeds=[4, 1], evaluate_every=5)
        trainer(10).fit(alone)
        members = slice(2 * number, 2 * number + 2)
        assert torch.equal(together.threshold[members], alone.threshold)
        for name in ("parameters", "extrapolation_mse"):
            torch.testing.assert_close(together.record[name][..., members], alone.record[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("number", [-1, 4, 0.5, float("nan")])
def test_other_numbers_are_refused(number):
    with pytest.raises(ValueError, match=r"operation must be 0, 1, 2 or 3, for add, sub, mul or div; got .*; try 3"):
        AnyOperation(number)
