"""Sixty kills of one study, at random moments: nothing lost, nothing doubled, every end an answer."""

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter

import pytest
from processes import all_of, finished_whole, none_left, start, study_of, workers_of

from arith_lightning.search import studies

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")

KILLS = {
    "kill -9 of a worker": 14,
    "kill -9 of all workers": 5,
    "SIGTERM to a worker": 10,
    "SIGSEGV to a worker": 5,
    "kill -9 of command and workers": 7,
    "kill -9 of the command": 7,
    "SIGTERM to the command": 6,
    "SIGINT to the group": 6,
}
ENDS = {"kill -9 of command and workers": -9, "kill -9 of the command": -9, "SIGTERM to the command": 130}
ENDS |= {"SIGINT to the group": 130}
"""Kills that end the command, with its exit code."""


def strike(kind, process, chance):
    """Kill; return whether there was something to kill."""
    workers = workers_of(process)
    if "worker" in kind and not workers:
        return False
    with contextlib.suppress(ProcessLookupError):
        number = {"kill": signal.SIGKILL}.get(kind.split()[0]) or getattr(signal, kind.split()[0])
        if kind.endswith("the group"):
            os.killpg(process.pid, number)
        elif kind.endswith("the command"):
            os.kill(process.pid, number)
        elif kind.endswith("a worker"):
            os.kill(chance.choice(workers), number)
        else:
            for pid in [process.pid] * ("command" in kind) + workers:
                os.kill(pid, number)
    return True


def wait_for_a_moment(process, journal, chance):
    """Return while the command starts, or while trials run, or are written."""
    if chance.random() < 0.15:
        time.sleep(1 + 8 * chance.random())
        return
    end, lines = time.monotonic() + 90, 0
    while process.poll() is None and time.monotonic() < end and not workers_of(process):
        time.sleep(0.1)
    before, more = size(journal), chance.choice([0, 1, 200, 2_000, 10_000, 20_000])
    while process.poll() is None and time.monotonic() < end and lines < before + more:
        lines = size(journal)
        time.sleep(0.01)
    time.sleep(0.3 * chance.random())


def size(journal):
    return journal.stat().st_size if journal.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_study_outlives_sixty_kills(tmp_path):
    chance, journal = random.Random(0), tmp_path / "tiny" / "journal.log"
    plan = [kind for kind, count in KILLS.items() for _ in range(count)]
    chance.shuffle(plan)
    process, done, ends = None, Counter(), Counter()
    while plan:
        if process is None:
            process = start(tmp_path, 1_000_000, steps=60)
        wait_for_a_moment(process, journal, chance)
        assert process.poll() is None, process.communicate()
        kind, running = plan[-1], all_of(process)
        if not strike(kind, process, chance):
            continue
        done[plan.pop()] += 1
        print(sum(done.values()), kind, size(journal), flush=True)
        if kind in ENDS:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == ENDS[kind], (kind, errors)
            assert len(errors.splitlines()) == (ENDS[kind] > 0), (kind, errors)
            assert not none_left(running), kind
            ends[process.returncode], process = ends[process.returncode] + 1, None
    assert done == KILLS
    if process is not None:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    kept = len(studies.finished(study_of(tmp_path)))
    process = start(tmp_path, kept + 24, steps=60)
    output, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    assert not errors
    study = study_of(tmp_path)
    trials = study.get_trials()
    assert len(studies.finished(study)) == kept + 24
    assert [trial.number for trial in trials] == list(range(len(trials)))
    failed = finished_whole(study, kept + 24)
    print(f"\n{dict(done)}, exit codes {dict(ends)}; {kept} + 24 finished, {len(failed)} failed\n{output}")
