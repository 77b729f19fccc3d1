import io
import json
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from arith_lightning import fit

ROOT = Path(__file__).parents[1]
COMMAND = [
    sys.executable,
    "-m",
    "arith_lightning.fit",
    "--config",
    str(ROOT / "configs" / "nmu_mul.yaml"),
    "--seeds",
    "4",
]


def run(folder, *arguments):
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=200)


def run_here(folder, *arguments):
    """Run the command in this process, which has the slow imports behind it."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
    ):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["fit", *COMMAND[3:], *arguments])
        code = fit.main()
    return CompletedProcess(sys.argv, code, output.getvalue(), errors.getvalue())


def test_a_run_answers_with_a_rate_and_leaves_its_files(tmp_path):
    done = run(tmp_path, "--trainer.max_steps", "60", "--evaluate_every", "20")
    assert done.returncode == 0, done.stderr
    assert "0 of 4 seeds solve it" in done.stdout
    folder = tmp_path / "logs" / "nmu_mul" / "version_0"
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["successes"], summary["n"], len(summary["predicted"])) == (0, 4, 10)
    assert len((folder / "runs.csv").read_text().splitlines()) == 5
    origin = json.loads((folder / "origin.json").read_text())
    assert "torch" in origin["packages"]
    assert {path.stem for path in (folder / "figures").glob("*.png")} == {
        "curves",
        "members",
        "parameters",
        "predictions",
    }
    assert list(folder.glob("events.out.tfevents.*"))


def test_a_wrong_key_ends_with_code_two_and_one_line(tmp_path):
    done = run_here(tmp_path, "--trainer.max_step", "60")
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert not (tmp_path / "logs").exists()


EAGER = ("--trainer.max_steps", "800", "--evaluate_every", "50", "--compile", "false")


def heed():
    """Let Ctrl-C through, which a shell's background jobs ignore and hand down."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert run_here(folder, *EAGER).returncode == 0
    return (folder / "logs" / "nmu_mul" / "version_0" / "runs.csv").read_text()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_goes_on_to_the_same_result(kill, tmp_path, uninterrupted):
    process = subprocess.Popen([*COMMAND, *EAGER], cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    folder = tmp_path / "logs" / "nmu_mul" / "version_0"
    while not (folder / "checkpoints" / "last.ckpt").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(kill)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (folder / "summary.json").exists()
    resumed = run_here(tmp_path, *EAGER)
    assert resumed.returncode == 0, resumed.stderr
    assert "continuing the unfinished run" in resumed.stderr
    assert (folder / "runs.csv").read_text() == uninterrupted
