"""Runs that are killed over and over, at random moments, and end in the very files of one that was left alone."""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from arith_lightning import fit, runs
from arith_lightning.terminal import INTERRUPTED

CONFIGS = Path(__file__).parents[1] / "configs"
KILLS = 15
"""Kills of each run by each signal: sixty of a kind over all four."""
RUNS = {
    "nmu_mul": ["--trainer.max_steps=6000", "--evaluate_every=20"],
    "sine_parity": ["--trainer.max_steps=6000", "--evaluate_every=20"],
    "inalu_four_operations": ["--seeds=2", "--trainer.max_steps=1500", "--evaluate_every=5"],
    "mlp_mul": ["--seeds=6", "--trainer.max_steps=4000", "--evaluate_every=10", "--drop_decided=true"],
}


def be_fit(folder, name, messages):
    """Be the command, in a folder, with messages in a file."""
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(messages, "a") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.argv = [fit.__file__, "--config", str(CONFIGS / f"{name}.yaml"), "--compile=false", *RUNS[name]]
    os._exit(fit.main())


def start(folder, name, messages):
    """Start the command in a process forked from one that has the slow imports behind it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["arith_lightning.fitting"])
    process = context.Process(target=be_fit, args=(str(folder), name, str(messages)))
    process.start()
    return process


def answers(folder, name):
    run = folder / "logs" / name
    assert [path.name for path in run.iterdir()] == ["version_0"]
    return [(run / "version_0" / file).read_text() for file in ("runs.csv", "summary.json")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted run answers, by configuration."""
    known = {}

    def ask(name):
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            process = start(folder, name, folder / "messages")
            process.join(280)
            assert process.exitcode == 0, (folder / "messages").read_text()
            known[name] = answers(folder, name)
        return known[name]

    return ask


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda kill: kill.name)
@pytest.mark.parametrize("name", RUNS)
def test_kills_lose_nothing(name, kill, tmp_path, whole):
    expected, moments, killed = whole(name), random.Random(f"{name} {kill}"), 0
    answer = tmp_path / "logs" / name / "version_0" / runs.RESULT
    while not answer.exists():
        messages = tmp_path / f"messages{killed}"
        process = start(tmp_path, name, messages)
        while not messages.exists():  # from here on it heeds signals
            time.sleep(0.01)
        process.join(moments.uniform(0.2, 1.5) if killed < KILLS else 280)
        if process.exitcode is None:
            os.kill(process.pid, kill)
            process.join(60)
            killed += 1
        assert process.exitcode is not None, "a signal was ignored"
        assert process.exitcode in (0, -signal.SIGKILL, INTERRUPTED), messages.read_text()
        if process.exitcode == INTERRUPTED:
            last = messages.read_text().splitlines()[-1]
            assert last == "interrupted; the same command continues from the last evaluation"
    assert killed >= 5
    assert answers(tmp_path, name) == expected
    print(f"{name}, {kill.name}: {killed} kills, nothing lost")
