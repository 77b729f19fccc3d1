"""Evaluation sets shared by the members that they belong to."""

import pytest
import torch

from arith_lightning.architectures import NMU, Stack
from arith_lightning.data import ArithmeticTask, SingleModuleTask
from arith_lightning.population import Population

RANGES = [
    {"interpolation": [1, 2], "extrapolation": [2, 6]},
    {"interpolation": [-2, -1], "extrapolation": [[-6, -2], [2, 6]]},
    {"interpolation": [1, 2], "extrapolation": [2, 6], "init_center": 0.9},
]


def test_every_member_is_measured_on_its_own_sets():
    population = Population(NMU(), SingleModuleTask(), seeds=range(3), settings=RANGES)
    measured = population.measure()
    assert len(population.measurement.sets) == 2
    for k in range(9):
        for split in ("interpolation", "extrapolation"):
            x, y = population.examples(k, split)
            expected = (population.member(k)(x.mT) - y.mT).square().mean().item()
            assert getattr(measured, f"{split}_mse")[k].item() == pytest.approx(expected, rel=1e-5)


def test_company_does_not_change_what_is_measured():
    together = Population(NMU(), SingleModuleTask(), seeds=range(30), settings=RANGES).measure()
    alone = Population(NMU(), SingleModuleTask(), seeds=[4], settings=RANGES[1:2]).measure()
    assert [values[34].item() for values in together] == [values.item() for values in alone]


def test_sets_are_drawn_once_until_something_in_them_changes():
    population = Population(Stack(4), ArithmeticTask(in_features=4), seeds=[0])
    population.measure()
    (first,) = population.measurement.sets.values()
    population.measure()
    (again,) = population.measurement.sets.values()
    assert again is first
    population.data.evaluation_seed = 1
    population.measure()
    (changed,) = population.measurement.sets.values()
    assert not torch.equal(changed[0][0], first[0][0])
    population.double().measure()
    assert next(iter(population.measurement.sets.values()))[0][0].dtype == torch.float64
