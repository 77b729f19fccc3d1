"""Workers that Ray starts: killed, on a node that is killed, on a cluster that refuses."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
import psutil
import pytest
from optuna.trial import TrialState
from processes import finished_whole, free_port, none_left, start, study_of, wait_for_trials

from arith_lightning.search import optimize, studies

pytest.importorskip("ray", reason="the ray extra is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
TOKEN = "a-token-of-these-tests-that-is-long-enough"
HEAD, OTHER = "127.0.0.2", "127.0.0.3"


@pytest.fixture(autouse=True)
def token(monkeypatch):
    """A token of our own; none is written to the home folder."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture
def cluster():
    """Two nodes of one CPU each on the loopback interface."""
    port, nodes = free_port(), []
    address = f"{HEAD}:{port}"
    try:
        ray("start", "--head", f"--node-ip-address={HEAD}", f"--port={port}", "--num-cpus=1", "--block", nodes=nodes)
        wait_for_node(HEAD, nodes)
        ray("start", f"--address={address}", f"--node-ip-address={OTHER}", "--num-cpus=1", "--block", nodes=nodes)
        wait_for_node(OTHER, nodes)
        yield address
    finally:
        for process in nodes:
            for part in [*descendants(process.pid), psutil.Process(process.pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    part.kill()
            process.wait()


def ray(*arguments, nodes):
    command = [Path(sys.executable).parent / "ray", *arguments, "--object-store-memory=100000000"]
    quiet = subprocess.DEVNULL
    nodes.append(subprocess.Popen(command, start_new_session=True, stdout=quiet, stderr=quiet))


def wait_for_node(host, nodes, seconds=120):
    end = time.monotonic() + seconds
    while not raylet(host, nodes):
        assert time.monotonic() < end, f"no node on {host}"
        assert nodes[-1].poll() is None
        time.sleep(0.5)


def raylet(host, nodes):
    """The raylet of a node whose worker pool is up."""
    for process in descendants(nodes[-1].pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == "raylet" and f"--node_ip_address={host}" in process.cmdline() and process.children():
                return process
    return None


def descendants(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def training(processes):
    """Those that are workers of a search."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            if process.cmdline()[0].startswith("ray::RayWorker"):
                found.append(process)
    return found


def wait_for_victim(process, study, candidates):
    """A worker among candidates that is in the middle of a batch."""
    while process.poll() is None:
        busy = {t.user_attrs[studies.OWNER]["pid"] for t in running(study) if studies.OWNER in t.user_attrs}
        if found := [worker for worker in training(candidates()) if worker.pid in busy]:
            return found[0]
        time.sleep(0.05)
    pytest.fail(f"ended before: {process.communicate()}")


def running(study):
    return study.get_trials(states=(TrialState.RUNNING,))


def on_node(host):
    """The raylet of a node, and what it has started."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.name() == "raylet" and f"--node_ip_address={host}" in process.cmdline():
                return [process, *process.children(recursive=True)]
    return []


def finish(process):
    output, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors + output
    return output


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_worker_of_ray_that_is_killed_costs_its_batch_only(tmp_path):
    process = start(tmp_path, 80, "--ray", steps=400)
    wait_for_trials(tmp_path, process, 8)
    started = descendants(process.pid)
    wait_for_victim(process, study_of(tmp_path), lambda: started).kill()
    assert finish(process).count("a worker was killed; its batch is trained by a new one") == 1
    assert 0 < len(finished_whole(study_of(tmp_path), 80)) <= 8
    assert not none_left([part.pid for part in started])


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_what_ray_has_started(tmp_path, number):
    process = start(tmp_path, 100_000, "--ray")
    wait_for_trials(tmp_path, process, 8)
    started = [part.pid for part in descendants(process.pid)]
    assert started
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines() == ["interrupted; what is finished is kept, the same command continues"]
    assert not none_left(started)
    assert not running(study_of(tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_study_goes_on_when_a_node_of_the_cluster_is_killed(tmp_path, cluster):
    journal = str(tmp_path / "shared.log")
    process = start(tmp_path, 80, "--ray", cluster, "--storage", journal, steps=400)
    wait_for_trials(tmp_path, process, 8, journal)
    wait_for_victim(process, study_of(tmp_path, journal), lambda: on_node(OTHER))
    for part in on_node(OTHER):
        part.kill()
    assert "a worker was killed; its batch is trained by a new one" in finish(process)
    assert 0 < len(finished_whole(study_of(tmp_path, journal), 80)) <= 8
    assert not none_left([worker.pid for worker in training(on_node(HEAD))])


class Head(grpc.GenericRpcHandler):
    """A head of a cluster that answers one question."""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: (
                b""
                if f"Bearer {TOKEN}" in dict(context.invocation_metadata()).values()
                else context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
            )
        )


@pytest.fixture
def head():
    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[Head()])
    port = server.add_insecure_port(f"{HEAD}:0")
    server.start()
    yield f"{HEAD}:{port}"  # Ray takes 127.0.0.1 for this machine's other address
    server.stop(None)


@pytest.fixture
def answer(tmp_path):
    """Run a command in a process of its own, since Ray reads its settings once."""

    def run(address, **environment):
        code = "import sys; from arith_lightning.search import optimize; sys.exit(optimize.main())"
        options = ["--space", "parity_fast", "--trials", "1", "--workers", "1", "--logs", str(tmp_path)]
        process = subprocess.run(
            [sys.executable, "-c", code, *options, "--ray", address],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert process.returncode == 2, process
        assert len(process.stderr.splitlines()) == 1, process.stderr
        return process.stderr

    return run


@pytest.mark.parametrize(
    "environment",
    [
        {"RAY_AUTH_TOKEN": "another-token"},
        {"RAY_AUTH_MODE": "disabled"},
        {"RAY_AUTH_TOKEN": "", "HOME": "/nonexistent"},
    ],
)
def test_a_cluster_that_wants_another_token_is_told_as_that(head, answer, environment):
    error = answer(head, **environment)
    assert "--ray must come with the cluster's token" in error
    assert "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=" in error


def test_an_address_where_nothing_runs_is_told_as_that(answer):
    assert "where nothing answers; `ray start --head` starts one" in answer(f"127.0.0.1:{free_port()}")


def test_an_address_is_a_host_and_a_port(capsys):
    assert optimize.main(["--space", "parity_fast", "--ray", "ray://127.0.0.1:1"]) == 2
    assert "--ray must be local, auto, or HOST:PORT of a cluster's head" in capsys.readouterr().err


def test_ray_that_does_not_start_is_told_in_one_line(answer, tmp_path):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    assert "--ray needs Ray to start; got" in answer("local", RAY_TMPDIR=str(long))
