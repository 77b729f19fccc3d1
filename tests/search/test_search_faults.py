"""Processes that are killed, servers that restart, disks that are full."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from optuna.trial import TrialState
from processes import ROOT, Postgres, all_of, none_left, start, study_of, wait_for_trials, workers_of

from arith_lightning.search import journal, studies
from arith_lightning.search.journal import SafeJournal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")


def finished_whole(study, trials):
    """Every trial is done; what was interrupted was queued again, once."""
    assert len(studies.finished(study)) >= trials
    assert not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    failed = study.get_trials(states=(TrialState.FAIL,))
    again = Counter(t.user_attrs[studies.RETRIED] for t in study.get_trials() if studies.RETRIED in t.user_attrs)
    first = {t.number for t in failed if t.params and studies.RETRIED not in t.user_attrs}
    assert set(again) == first
    assert set(again.values()) <= {1}
    return failed


@pytest.mark.slow
@pytest.mark.parametrize("many", [1, 2])
def test_a_study_goes_on_when_workers_are_killed(tmp_path, many):
    process = start(tmp_path, 160, steps=400)
    wait_for_trials(tmp_path, process, 8)
    running = all_of(process)
    for worker in workers_of(process)[:many]:
        os.kill(worker, signal.SIGKILL)
    output, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    assert "a worker was killed; going on with new workers" in output
    assert finished_whole(study_of(tmp_path), 160)
    assert not none_left(running)


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_study_goes_on_when_the_database_server_is_killed_and_restarted(tmp_path):
    server = Postgres()
    try:
        process = start(tmp_path, 96, "--storage", server.url, steps=400)
        wait_for_trials(tmp_path, process, 8, server.url)
        server.kill()
        time.sleep(3)
        server.start()
        output, errors = process.communicate(timeout=280)
        assert process.returncode == 0, errors + output
        finished_whole(study_of(tmp_path, server.url), 96)
    finally:
        server.stop()


@pytest.mark.slow
def test_a_full_disk_is_named_and_the_study_goes_on_when_there_is_room(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = start(tmp_path, 400, limit=limit)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "must be writable" in errors
    assert "File too large" in errors or "No space left" in errors
    assert len(errors.strip().splitlines()) == 1, errors
    kept = len(studies.finished(study_of(tmp_path)))
    assert kept > 0
    process = start(tmp_path, kept + 16)
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    finished_whole(study_of(tmp_path), kept + 16)


def test_a_line_that_does_not_fit_is_taken_back(tmp_path):
    path = tmp_path / "journal.log"
    code = (
        "import resource, sys, pathlib; from arith_lightning.search.journal import SafeJournal\n"
        "journal = SafeJournal(pathlib.Path(sys.argv[1])); journal.append_logs([{'n': 1}])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try: journal.append_logs([{'n': 'x' * 100}])\n"
        "except OSError as error: print(error.strerror)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("File too large", "No space left on device"), done.stderr
    assert path.read_text() == '{"n":1}\n'


def test_a_line_that_a_killed_writer_left_is_removed(tmp_path):
    journal = SafeJournal(tmp_path / "journal.log")
    journal.append_logs([{"n": 1}])
    with journal.path.open("a") as file:
        file.write('{"n":' + " " * 70_000)
    assert list(SafeJournal(journal.path).read_logs(0)) == [{"n": 1}]
    journal.append_logs([{"n": 2}, {"n": 3}])
    assert [log["n"] for log in SafeJournal(journal.path).read_logs(0)] == [1, 2, 3]


def test_lines_are_forced_to_the_disk_once_a_second_not_one_by_one(tmp_path, monkeypatch):
    forced = []
    monkeypatch.setattr(os, "fsync", forced.append)
    log = SafeJournal(tmp_path / "journal.log")
    for n in range(5):
        log.append_logs([{"n": n}])
    assert len(forced) == 1
    monkeypatch.setattr(journal, "FORCED", 0.0)
    log.append_logs([{"n": 5}])
    assert len(forced) == 2
    assert [line["n"] for line in log.read_logs(0)] == list(range(6))


@pytest.mark.slow
def test_an_interrupted_map_goes_on(tmp_path):
    command = [sys.executable, "search/atlas.py", "nmu_mul", "--cells", "64", "64", "--seeds", "8", "--steps", "100"]
    command += ["--workers", "2", "--logs", str(tmp_path)]
    tiles = tmp_path / "nmu_mul" / "tiles"
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while not (tiles.exists() and len(list(tiles.glob("*.npy"))) >= 2):
        assert process.poll() is None
        time.sleep(0.1)
    running = all_of(process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(errors.splitlines()) == 1, errors
    assert not none_left(running)
    kept = {path.name: path.stat().st_mtime for path in tiles.glob("*.npy")}
    assert kept
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        if tiles.exists():
            now = {path.name: path.stat().st_mtime for path in tiles.glob("*.npy")}
            assert all(now.get(name, time_) == time_ for name, time_ in kept.items())
        time.sleep(0.2)
    assert process.returncode == 0
    assert (tmp_path / "nmu_mul" / "map.png").exists()
