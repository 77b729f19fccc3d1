import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState

import storage
from arith_lightning.config import experiment
from declaration import load

ROOT = Path(__file__).parents[2]
TINY = """
base: configs/sine_parity.yaml
steps: 20
seeds: 2
trials: {trials}
fixed: {{data.init_args.train_end: 50, data.init_args.test_end: 50, evaluate_every: 10}}
space:
  model.init_args.learning_rate: {{low: 0.01, high: 1.0, log: true}}
  model.init_args.optimizer: {{choices: [adam, sgd]}}
map: {{x: model.init_args.learning_rate, y: {{key: model.init_args.init_high, low: 1.0, high: 3.0}}, points: [3, 2]}}
"""


def start(folder, trials, *extra):
    (folder / "tiny.yaml").write_text(TINY.format(trials=trials))
    command = [sys.executable, "search/optimize.py", "--space", str(folder / "tiny.yaml"), "--workers", "2"]
    return subprocess.Popen(
        [*command, "--logs", str(folder), *extra],
        cwd=ROOT,
        start_new_session=True,
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def study_of(folder):
    return storage.open_study(load(str(folder / "tiny.yaml")), str(folder / "tiny" / "journal.log"))


def wait_for_trials(folder, process, count):
    journal = folder / "tiny" / "journal.log"
    while process.poll() is None:
        if journal.exists() and len(storage.completed(study_of(folder))) >= count:
            return
        time.sleep(0.1)
    pytest.fail(f"ended before {count} trials: {process.communicate()}")


def test_a_study_from_nothing_to_a_configuration_that_runs(tmp_path):
    process = start(tmp_path, 8)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "on fresh seeds:" in output
    folder = tmp_path / "tiny"
    assert {"best.yaml", "map.csv", "map.png", "trials.csv", "summary.json", "journal.log"} <= set(os.listdir(folder))
    assert len(yaml.safe_load((folder / "best.yaml").read_text())["seeds"]) == 100
    assert experiment(["--config", str(folder / "best.yaml")]).max_steps == 20
    assert len((folder / "map.csv").read_text().splitlines()) == 1 + 6


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_an_ended_study_continues(tmp_path, number, code):
    process = start(tmp_path, 400)
    wait_for_trials(tmp_path, process, 8)
    kept = len(storage.completed(study_of(tmp_path)))
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert len(errors.splitlines()) == 1, errors
        assert not study_of(tmp_path).get_trials(states=(TrialState.RUNNING,))
    process = start(tmp_path, kept + 24)
    output, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors
    study = study_of(tmp_path)
    assert len(storage.completed(study)) >= kept + 24
    assert not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    assert "on fresh seeds:" in output
