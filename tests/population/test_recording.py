"""Which steps are recorded: those taken often, of the same form, that look at no value."""

import pytest
import torch

from arith_lightning.architectures import MLP, NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.population.recording import RECORDING, Recording


class Counted:
    """A step that counts how often Python takes it."""

    def __init__(self):
        self.calls = 0

    def __call__(self, state, slope):
        self.calls += 1
        return {"parameters": state["parameters"] - slope}


def taken(step, recording, state, slope, count):
    take = recording.of(count, state, slope)
    for _ in range(count):
        state = take(state, slope)
    return state


def test_a_step_is_recorded_once_it_has_been_taken_often():
    step = Counted()
    recording = Recording(step)
    state, slope = {"parameters": torch.zeros(3, 2)}, torch.ones(3, 2)
    state = taken(step, recording, state, slope, RECORDING - 1)
    assert step.calls == RECORDING - 1
    state = taken(step, recording, state, slope, 50)
    assert step.calls == RECORDING, "once more, to be recorded"
    assert torch.equal(state["parameters"], torch.full((3, 2), -(RECORDING + 49.0)))


def test_another_number_of_members_is_another_recording():
    step = Counted()
    recording = Recording(step)
    for members in (2, 5, 2):
        state = {"parameters": torch.zeros(3, members)}
        end = taken(step, recording, state, torch.ones(3, members), RECORDING)
        assert torch.equal(end["parameters"], torch.full((3, members), -float(RECORDING)))
    assert step.calls == 2


def test_a_step_that_looks_at_a_value_is_taken_as_it_is():
    def step(state, slope):
        return {"parameters": state["parameters"] - (slope if state["parameters"].sum().item() > -10 else 2 * slope)}

    recording = Recording(step)
    state = taken(step, recording, {"parameters": torch.zeros(1, 1)}, torch.ones(1, 1), RECORDING)
    assert state["parameters"].item() == -10 - 2 * (RECORDING - 10)


@pytest.mark.parametrize("module", [NMU(), MLP(depth=1, width=8)])
def test_a_long_stretch_and_many_short_ones_end_in_the_same_bits(module):
    ends = []
    for stretch in (2 * RECORDING, 10):
        population = Population(module, SingleModuleTask(batch_size=16), seeds=range(3))
        state = population.live.state
        for first in range(0, 2 * RECORDING, stretch):
            state = population.dynamics.run(state, population.live.columns, first, stretch, False)
        ends.append(state["parameters"])
    assert torch.equal(*ends)
