"""Whatever differs in anything that it holds is, beside another in one process, what it is alone."""

import pytest
import torch

from arith_lightning.architectures import MLP, NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.testing.training import beside_and_alone


class Bent(SingleModuleTask):
    """A newcomer's dataset, whose draw uses what it likes to hold."""

    def __init__(self, held):
        super().__init__(batch_size=8)
        self._held = held

    def draw(self, *arguments):
        x, _ = super().draw(*arguments)
        held = self._held() if callable(self._held) else self._held
        return x, (x.sum(0) * torch.as_tensor(held, dtype=x.dtype).sum()).unsqueeze(0)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (torch.tensor([1.0]), torch.tensor([3.0])),
        ([1.0, 2.0], [1.0, 5.0]),
        ((1, 2), (1, 3)),
        (torch.tensor([2.0]).numpy(), torch.tensor([5.0]).numpy()),
        (1, 4.0),
        (lambda: 1.0, lambda: 6.0),
        ([[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]][1:]),
    ],
)
def test_whatever_a_dataset_holds_tells_it_from_another(one, two):
    beside, alone = beside_and_alone(
        lambda: (MLP(depth=1, width=3), Bent(one)), lambda: (MLP(depth=1, width=3), Bent(two))
    )
    assert torch.equal(beside, alone)


def test_equal_things_share_their_steps_and_a_hook_parts_them():
    first, second = (Population(NMU(), SingleModuleTask(interpolation=[k, 5]), [0]) for k in (1, 2))
    assert first.dynamics is second.dynamics
    hooked = NMU()
    hooked.network.register_forward_hook(lambda module, arguments, output: 2 * output)
    assert Population(hooked, SingleModuleTask(), [0]).dynamics is not first.dynamics


def test_what_is_changed_later_changes_no_other_population():
    data = Bent([1.0, 2.0])
    first = Population(MLP(depth=1, width=3), data, [0])
    data._held.append(3.0)
    again = Population(MLP(depth=1, width=3), Bent([1.0, 2.0]), [0])
    assert again.dynamics is first.dynamics
    assert first.dynamics.data._held == [1.0, 2.0]
