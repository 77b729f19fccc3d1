"""Members shared between processes: an end whenever one of the processes ends; test_bits has the bits."""

import os
import signal

import pytest

from arith_lightning.architectures import NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population

STEPS = 9


def test_a_run_ends_when_one_of_its_processes_is_killed():
    population = Population(NMU(), SingleModuleTask(), seeds=range(6), workers=2)
    live = population.live
    population.team.run(live.state, live.columns, 0, STEPS, True)
    ((process, _),) = population.team.others
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with pytest.raises(ValueError, match="no process of a run may be ended alone"):
        population.team.run(live.state, live.columns, STEPS, STEPS, True)
    assert not population.team.others


def test_an_error_in_another_process_is_raised_here(monkeypatch):
    population = Population(NMU(), SingleModuleTask(), seeds=range(6), workers=2)
    live, here, steps = population.live, os.getpid(), population.dynamics.run

    def failing(*arguments):
        if os.getpid() != here:
            raise ArithmeticError("elsewhere")
        return steps(*arguments)

    monkeypatch.setattr(population.dynamics, "run", failing)
    with pytest.raises(ArithmeticError, match="elsewhere"):
        population.team.run(live.state, live.columns, 0, STEPS, True)
    assert not population.team.others
