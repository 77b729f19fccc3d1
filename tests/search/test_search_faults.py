"""Processes that are killed, servers that restart, disks that are full."""

import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from processes import ROOT, Postgres, all_of, finished_whole, none_left, start, study_of, wait_for_trials, workers_of

from arith_lightning.search import studies

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")


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
    assert output.count("a worker was killed by SIGKILL; its batch is trained by a new one") == many
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
    assert "File too large" in errors
    assert len(errors.strip().splitlines()) == 1, errors
    kept = len(studies.finished(study_of(tmp_path)))
    assert kept > 0
    process = start(tmp_path, kept + 16)
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    finished_whole(study_of(tmp_path), kept + 16)


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
