import pytest
import torch

from arith_lightning.architectures import iNALU
from arith_lightning.data import AnyOperation, SingleModuleTask
from arith_lightning.data.any_operation import NAMES
from arith_lightning.population import Population
from arith_lightning.results import rows
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_what_the_single_module_task_asks(name):
    ranges = [-2, 2], [[-6, -2], [2, 6]]
    several, one = AnyOperation(name, *ranges), SingleModuleTask(name, *ranges)
    for split in ("interpolation", "extrapolation"):
        drawn, expected = (
            data.draw(Stream(3, Purpose.TRAINING, 7), data.columns(), split, 50) for data in (several, one)
        )
        assert torch.equal(drawn[0], expected[0])
        assert torch.equal(drawn[1], expected[1])
    assert several.threshold(several.columns()) == one.threshold(one.columns())


def test_targets_by_hand():
    for number, name in enumerate(("add", "sub", "mul", "div")):
        data = AnyOperation(name)
        (a, b), y = data.draw(Stream(0, Purpose.TRAINING), data.columns(), "interpolation", 3)
        for k in range(3):
            first, second = a[k].item(), b[k].item()
            answer = (first + second, first - second, first * second, first / second)[number]
            assert y[0, k].item() == pytest.approx(answer, rel=1e-6)


@pytest.mark.usefixtures("double")
def test_members_of_one_population_are_asked_different_operations(trainer):
    settings = [{"operation": name, "learning_rate": 0.01} for name in NAMES]
    together = Population(iNALU(), AnyOperation(), seeds=[4, 1], settings=settings, evaluate_every=5)
    trainer(10).fit(together)
    assert [row["operation"] for row in rows(together)] == [name for name in NAMES for _ in range(2)]
    for number, name in enumerate(NAMES):
        alone = Population(iNALU(learning_rate=0.01), SingleModuleTask(name), seeds=[4, 1], evaluate_every=5)
        trainer(10).fit(alone)
        members = slice(2 * number, 2 * number + 2)
        assert torch.equal(together.threshold[members], alone.threshold)
        for name in ("parameters", "extrapolation_mse"):
            torch.testing.assert_close(
                getattr(together.record, name)[..., members], getattr(alone.record, name), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("operation", ["pow", "", 2])
def test_other_operations_are_refused(operation):
    with pytest.raises(ValueError, match=r"operation must be one of add, sub, mul, div; got .*; try div"):
        AnyOperation(operation)
