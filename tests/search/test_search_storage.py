import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import optuna
import pytest
from example import GOOD, RATE
from optuna.trial import TrialState

from arith_lightning.search import samplers, studies
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
    number = running(study, pid=DEAD)
    params = study.trials[number].params
    assert studies.reclaim(study) == 1
    assert study.trials[number].state == TrialState.FAIL
    again = running(study, pid=DEAD)
    assert study.trials[again].params == params
    assert study.trials[again].user_attrs[studies.RETRIED] == number
    assert studies.reclaim(study) == 1
    assert not study.get_trials(states=(TrialState.WAITING, TrialState.RUNNING))


def test_a_trial_of_a_living_process_is_left_alone(study):
    running(study)
    running(study, host="elsewhere", pid=DEAD)
    assert studies.reclaim(study) == 0


@pytest.mark.parametrize("change", [{"started": 1.0}, {"boot": "another"}])
def test_a_living_process_with_the_number_of_a_dead_one_is_not_its_owner(study, change):
    running(study, **change)
    assert studies.reclaim(study) == 1


def test_a_process_that_nobody_has_reaped_is_dead(study):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    claimed = {"pid": process.pid, "started": studies.psutil.Process(process.pid).create_time()}
    running(study, **claimed)
    assert studies.reclaim(study) == 0
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert studies.reclaim(study) == 1
    process.communicate()


def test_what_a_known_worker_had_is_taken_back_from_it_alone(study):
    one, two = running(study, command="a", worker=0), running(study, command="a", worker=1)
    assert studies.reclaim(study, [("a", 1), ("b", 0)]) == 1
    assert [study.trials[k].state for k in (one, two)] == [TrialState.RUNNING, TrialState.FAIL]


def test_whoever_waits_says_for_what(study):
    for pid in (7, 7, 8):
        running(study, pid=pid, host="far", command="other")
    running(study, command="mine")
    study.ask()
    others = studies.elsewhere(study, "mine")
    assert studies.described(others) == (
        "2 trials of process 7 on far, 1 trial of process 8 on far, 1 trial of nobody yet"
    )


@pytest.mark.parametrize(("minutes", "gone"), [(1, False), (11, True)])
def test_a_trial_of_another_machine_is_abandoned_after_minutes(study, minutes, gone):
    number = running(study, host="elsewhere")
    frozen = study.trials[number]
    frozen.datetime_start = datetime.now() - timedelta(minutes=minutes)
    assert studies.abandoned(frozen) == gone


def test_a_study_of_another_space_is_refused(tmp_path):
    path, space = str(tmp_path / "journal.log"), parse("parity", GOOD)
    studies.open_study(space, path)
    studies.open_study(replace(space, trials=99), path)
    with pytest.raises(ValueError, match=r"trainer\.max_steps 5, now 6; undo the change"):
        studies.open_study(replace(space, steps=6), path)
    with pytest.raises(ValueError, match="seeds 10000000 to 10000001, now 10000000 to 10000002"):
        studies.open_study(replace(space, seeds=3), path)


def test_a_study_whose_base_file_has_changed_is_refused_and_names_the_change(tmp_path):
    base, path = tmp_path / "base.yaml", str(tmp_path / "journal.log")
    text = (studies.Path(__file__).parents[2] / "configs" / "sine_parity.yaml").read_text()
    space = replace(parse("parity", GOOD), base=base)
    base.write_text(text)
    studies.open_study(space, path)
    base.write_text("# a remark is no change\n" + text.replace("seeds: 64", "seeds: 8"))
    studies.open_study(space, path)
    base.write_text(text.replace("damping: 2.0", "damping: 0.0"))
    with pytest.raises(ValueError, match=r"made with model.init_args.damping 2.0, now 0.0; undo"):
        studies.open_study(space, path)


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("nonsense://x", "databases are sqlite, mysql, postgresql"),
        ("", "got '' (the name is empty)"),
        ("/dev/full", "regular file"),
        ("/tmp", "regular file"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in memory"),
        ("postgresql+psycopg2://me:secret@127.0.0.1:1/x", "postgresql+psycopg2://me:***@127.0.0.1:1/x"),
    ],
)
def test_storage_that_does_not_open_is_refused_in_one_line(storage, message):
    with pytest.raises(ValueError, match="--storage must be") as refused:
        studies.connect(storage)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_sampler_that_unpickles_takes_no_storage_that_others_can_write(tmp_path):
    pytest.importorskip("cmaes", reason="the samplers extra is not installed")
    path = tmp_path / "journal.log"
    samplers.require("cmaes", str(path))
    path.touch(mode=0o644)
    samplers.require("cmaes", str(path))
    path.chmod(path.stat().st_mode | stat.S_IWGRP)
    for storage, way in ((str(path), f"chmod go-w {path}"), ("grpc://h:1", "journal"), ("sqlite:///x.db", "journal")):
        samplers.require("tpe", storage)
        with pytest.raises(ValueError, match="nobody else may write there") as refused:
            samplers.require("cmaes", storage)
        assert way in str(refused.value)


@pytest.mark.parametrize("name", ["tpe", "random", "cmaes", "gp", "qmc"])
def test_workers_and_starts_propose_different_settings(name):
    if name == "cmaes":
        pytest.importorskip("cmaes", reason="the samplers extra is not installed")

    def first(index, trials):
        study = optuna.create_study(sampler=sampler(name, 0, index, trials))
        return study.ask().suggest_float("x", 0, 1)

    assert len({first(index, trials) for index in range(4) for trials in (0, 8, 16)}) == 12
