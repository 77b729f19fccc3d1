import os
import signal
import time

import pytest
import yaml
from optuna.trial import TrialState
from processes import all_of, none_left, start, study_of, wait_for_trials

from arith_lightning.config import experiment
from arith_lightning.search import optimize, studies


def test_a_study_from_nothing_to_a_configuration_that_runs(tmp_path):
    process = start(tmp_path, 8)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "on fresh seeds:" in output
    folder = tmp_path / "tiny"
    files = {
        "best.yaml",
        "map.csv",
        "map.npz",
        "map.png",
        "trials.csv",
        "summary.json",
        "importances.json",
        "journal.log",
    }
    assert files <= set(os.listdir(folder))
    assert len(yaml.safe_load((folder / "best.yaml").read_text())["seeds"]) == 100
    assert experiment(["--config", str(folder / "best.yaml")]).max_steps == 20
    assert len((folder / "map.csv").read_text().splitlines()) == 1 + 6


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_an_ended_study_continues(tmp_path, number, code):
    process = start(tmp_path, 400)
    wait_for_trials(tmp_path, process, 8)
    kept, running = len(studies.finished(study_of(tmp_path))), all_of(process)
    assert len(running) > 3
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert not none_left(running)
    if number != signal.SIGKILL:
        assert len(errors.splitlines()) == 1, errors
        assert not study_of(tmp_path).get_trials(states=(TrialState.RUNNING,))
    process = start(tmp_path, kept + 24)
    output, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors
    study = study_of(tmp_path)
    assert len(studies.finished(study)) >= kept + 24
    assert not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    assert "on fresh seeds:" in output


def test_the_default_is_a_pair_of_questions_and_time_can_be_limited(capsys):
    options = optimize.parse([])
    assert options.space == ("multiplication", "parity")
    assert optimize.parse(["--minutes", "0.5"]).minutes == 0.5
    with pytest.raises(SystemExit):
        optimize.parse(["--minutes", "0"])
    assert "--minutes" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_a_study_ends_when_its_minutes_are_over(tmp_path):
    began = time.monotonic()
    process = start(tmp_path, 100_000, "--minutes", "0.25")
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "on fresh seeds:" in output
    assert time.monotonic() - began < 120
    study = study_of(tmp_path)
    assert 0 < len(studies.finished(study)) < 100_000
    assert not study.get_trials(states=(TrialState.RUNNING,))
