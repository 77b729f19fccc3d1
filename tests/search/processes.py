"""Real commands, their processes, and a real PostgreSQL server."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from optuna.trial import TrialState

from arith_lightning.search import studies
from arith_lightning.search.declaration import load

ROOT = Path(__file__).parents[2]
TINY = """
base: configs/sine_parity.yaml
steps: {steps}
seeds: 2
trials: {trials}
fixed: {{data.init_args.train_end: 50, data.init_args.test_end: 50, evaluate_every: 10}}
space:
  model.init_args.learning_rate: {{low: 0.01, high: 1.0, log: true}}
  model.init_args.optimizer: {{choices: [adam, sgd]}}
map: {{x: model.init_args.learning_rate, y: {{key: model.init_args.init_high, low: 1.0, high: 3.0}}, points: [3, 2]}}
"""


def start(folder, trials, *extra, workers=2, steps=20, limit=None):
    """Start a study of a tiny space in its own process group."""
    (folder / "tiny.yaml").write_text(TINY.format(trials=trials, steps=steps))
    command = [sys.executable, "search/optimize.py", "--space", str(folder / "tiny.yaml"), "--workers", str(workers)]
    return subprocess.Popen(
        [*command, "--logs", str(folder), *extra],
        cwd=ROOT,
        start_new_session=True,
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=limit,
    )


def study_of(folder, url=None):
    return studies.open_study(load(str(folder / "tiny.yaml")), url or str(folder / "tiny" / "journal.log"))


def wait_for_trials(folder, process, count, url=None):
    while process.poll() is None:
        with contextlib.suppress(ValueError, KeyError):
            if (url or (folder / "tiny" / "journal.log").exists()) and len(
                studies.finished(study_of(folder, url))
            ) >= count:
                return
        time.sleep(0.1)
    pytest.fail(f"ended before {count} trials: {process.communicate()}")


def children(pid):
    """Processes that a process has started."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        found = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
        return found
    return []


def workers_of(process):
    """The processes that train: children of the command's fork server."""
    return [worker for child in children(process.pid) for worker in children(child)]


def all_of(process):
    return [process.pid, *children(process.pid), *workers_of(process)]


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


def none_left(pids, seconds=15):
    end = time.monotonic() + seconds
    while left := [pid for pid in pids if runs(pid)]:
        if time.monotonic() > end:
            return left
        time.sleep(0.2)
    return []


def runs(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """A PostgreSQL server on the loopback interface, run by a user without rights."""

    def __init__(self):
        self.binaries = next((p for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
        found = shutil.which("pg_ctl")
        self.binaries = Path(found).parent if found else self.binaries
        if self.binaries is None:
            pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
        pytest.importorskip("psycopg2", reason="the postgres extra is not installed")
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="postgres", dir="/tmp")), free_port()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.run("initdb", "-D", "data", "-U", "arith", "--auth=trust", "-N")
        self.start()
        self.url = f"postgresql+psycopg2://arith@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        log = (self.folder / "log").open("a")
        subprocess.run(
            [*user, self.binaries / program, *arguments],
            cwd=self.folder,
            check=True,
            stdout=log,
            stderr=log,
            timeout=60,
        )

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self.run("pg_ctl", "-D", "data", "-w", "-o", options, "start")

    def kill(self):
        """Kill the server without warning; its own children follow."""
        os.kill(int((self.folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        time.sleep(1)

    def stop(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


class Proxy:
    """A gRPC proxy in front of a journal."""

    def __init__(self, journal):
        port = free_port()
        self.url = f"grpc://127.0.0.1:{port}"
        command = [sys.executable, "search/proxy.py", "--storage", str(journal), "--host", "127.0.0.1"]
        self.process = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
