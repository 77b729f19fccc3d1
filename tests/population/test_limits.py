"""What a population refuses before it is built."""

import pytest
import torch

from arith_lightning.architectures import NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population


class Drawn(SingleModuleTask):
    """A task whose examples are turned into something else."""

    def __init__(self, turned):
        super().__init__()
        self.turned = turned

    def draw(self, *arguments):
        return self.turned(*super().draw(*arguments))


@pytest.mark.parametrize(
    "turned",
    [
        lambda x, y: (x, y[0]),
        lambda x, y: (x.mT, y.mT),
        lambda x, y: (x, y[:, :-1]),
        lambda x, y: (x[:1], y),
        lambda x, y: (x, torch.cat([y, y])),
    ],
)
def test_examples_of_a_wrong_shape_are_refused(turned):
    with pytest.raises(ValueError, match=r"a batch must be inputs \(2, examples\) and targets \(1, examples\); got "):
        Population(NMU(), Drawn(turned))


@pytest.mark.parametrize("seeds", [3, "abc", [1.5], [True, 0.5], None])
def test_seeds_that_are_no_whole_numbers_are_refused_at_once(seeds):
    with pytest.raises(ValueError, match=r"seeds must be (a list of )?whole numbers"):
        Population(NMU(), SingleModuleTask(), seeds=seeds)
