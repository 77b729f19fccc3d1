import os
import signal
import time
from dataclasses import replace
from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState
from test_search_space import GOOD, RATE

from arith_lightning.search import studies, worker
from arith_lightning.search.declaration import parse
from arith_lightning.search.samplers import sampler

DEAD = 2**22 - 1
"""A process number that is not in use."""


@pytest.fixture
def study(tmp_path):
    return studies.open_study(parse("parity", GOOD), str(tmp_path / "journal.log"))


def running(study, **changes):
    trial = study.ask()
    trial.suggest_float(RATE, 1e-3, 1.0)
    studies.claim(trial, studies.owner() | changes)
    return trial.number


def test_a_trial_of_a_dead_process_fails_and_is_queued_once(study):
    mine = studies.owner()
    number = running(study, pid=DEAD)
    params = study.trials[number].params
    assert studies.reclaim(study, mine) == 1
    assert study.trials[number].state == TrialState.FAIL
    again = running(study, pid=DEAD)
    assert study.trials[again].params == params
    assert study.trials[again].user_attrs[studies.RETRIED] == number
    assert studies.reclaim(study, mine) == 1
    assert not study.get_trials(states=(TrialState.WAITING, TrialState.RUNNING))


def test_a_trial_of_a_living_process_is_left_alone(study):
    mine = studies.owner()
    running(study, pid=1)
    running(study, host="elsewhere", pid=DEAD)
    assert studies.reclaim(study, mine) == 0


@pytest.mark.parametrize(("minutes", "gone"), [(1, False), (11, True)])
def test_a_trial_of_another_machine_is_abandoned_after_minutes(study, minutes, gone):
    number = running(study, host="elsewhere")
    frozen = study.trials[number]
    frozen.datetime_start = datetime.now() - timedelta(minutes=minutes)
    assert studies.abandoned(frozen, studies.owner(), own=False) == gone


def test_a_study_of_another_space_is_refused(tmp_path):
    path, space = str(tmp_path / "journal.log"), parse("parity", GOOD)
    studies.open_study(space, path)
    studies.open_study(replace(space, trials=99), path)
    with pytest.raises(ValueError, match="another steps"):
        studies.open_study(replace(space, steps=6), path)


def test_storage_that_does_not_open_is_refused():
    with pytest.raises(ValueError, match="--storage must be"):
        studies.connect("nonsense://x")


@pytest.mark.parametrize("name", ["tpe", "random", "cmaes", "gp"])
def test_workers_and_starts_propose_different_settings(name):
    if name == "cmaes":
        pytest.importorskip("cmaes", reason="the samplers extra is not installed")

    def first(index, trials):
        study = optuna.create_study(sampler=sampler(name, 0, index, trials))
        return study.ask().suggest_float("x", 0, 1)

    assert len({first(index, trials) for index in range(4) for trials in (0, 8, 16)}) == 12


def test_termination_waits_until_a_trial_has_its_owner(monkeypatch):
    monkeypatch.setattr(worker, "_ending", False)
    before = signal.signal(signal.SIGTERM, worker._terminate)
    done = []

    def ask():
        with worker._unterminated():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            done.append("claimed")

    try:
        with pytest.raises(SystemExit):
            ask()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done == ["claimed"]
