import csv
import io
import json
import resource
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from arith_lightning import fit
from tests.forked import Forked

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


def test_commands_to_copy_stay_whole_in_80_columns_and_words_are_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    root = f"logs/{'of a long name/' * 6}end"
    done = run_here(tmp_path, "--trainer.max_steps=4", "--evaluate_every=2", "--trainer.default_root_dir", root)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"Everything of this run: {root}/nmu_mul/version_0" in lines
    assert f"Dashboard: tensorboard --logdir '{root}'" in lines
    assert [line for line in lines if line.endswith(f" --config '{root}/nmu_mul/version_0/config.yaml'")]
    for word in ("interpolation", "extrapolation"):
        assert f"{word}: " in done.stdout.replace("\n", " ")
    assert "4 networks train side by side" in done.stderr


def test_a_wrong_key_ends_with_code_two_and_one_line(tmp_path):
    done = run_here(tmp_path, "--trainer.max_step", "60")
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert not (tmp_path / "logs").exists()


EAGER = ("--trainer.max_steps", "800", "--evaluate_every", "50", "--compile", "false")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert run_here(folder, *EAGER).returncode == 0
    return (folder / "logs" / "nmu_mul" / "version_0" / "runs.csv").read_text()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_goes_on_to_the_same_result(kill, tmp_path, uninterrupted):
    process = Forked([*COMMAND[1:], *EAGER], tmp_path)
    folder = tmp_path / "logs" / "nmu_mul" / "version_0"
    while not (folder / "checkpoints" / "last.ckpt").exists() and process.running():
        time.sleep(0.05)
    process.send(kill)
    assert process.ended(60).returncode != 0
    assert not (folder / "summary.json").exists()
    resumed = run_here(tmp_path, *EAGER)
    assert resumed.returncode == 0, resumed.stderr
    assert "continuing the unfinished run" in resumed.stderr
    assert (folder / "runs.csv").read_text() == uninterrupted


def summary_of(folder, name="nmu_mul"):
    return json.loads((folder / "logs" / name / "version_0" / "summary.json").read_text())


def configured(name, *arguments):
    return ["--config", str(ROOT / "configs" / f"{name}.yaml"), "--compile", "false", *arguments]


def test_a_run_in_which_every_network_diverges_ends_in_an_answer(tmp_path):
    steps = ("--seeds", "4", "--trainer.max_steps", "200", "--evaluate_every", "100")
    done = run_here(
        tmp_path,
        *configured("mlp_mul", *steps, "--model.init_args.learning_rate", "10", "--model.init_args.optimizer", "sgd"),
    )
    assert done.returncode == 0, done.stderr
    assert "0 of 4 seeds solve it" in done.stdout
    assert "infinite" in done.stdout
    assert "e+308" not in done.stdout
    assert "each had diverged when it was first evaluated" in done.stdout
    summary = summary_of(tmp_path, "mlp_mul")
    assert (summary["successes"], summary["diverged"], summary["measured"]) == (0, 4, 4)
    assert summary["extrapolation_mse"] == dict.fromkeys(("best", "median", "worst"), "inf")
    figures = tmp_path / "logs" / "mlp_mul" / "version_0" / "figures"
    assert {path.stem for path in figures.iterdir()} == {"curves", "members", "parameters", "predictions"}


def test_an_infinite_setting_ends_in_an_answer(tmp_path):
    steps = ("--seeds", "2", "--trainer.max_steps", "20", "--evaluate_every", "10")
    done = run_here(tmp_path, *configured("inalu_four_operations", *steps, "--settings", "[{restart_after: .inf}]"))
    assert done.returncode == 0, done.stderr
    assert summary_of(tmp_path, "inalu_four_operations")["settings"][0]["setting"] == {"restart_after": "inf"}


@pytest.mark.parametrize("nothing", ["--trainer.limit_val_batches=0", "--trainer.max_steps=0"])
def test_a_run_that_could_measure_nothing_is_refused(tmp_path, nothing):
    done = run_here(tmp_path, "--trainer.max_steps=4", "--evaluate_every=2", nothing)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert not (tmp_path / "logs").exists()


def test_a_run_without_an_evaluation_claims_nothing(tmp_path):
    done = run_here(tmp_path, "--trainer.max_steps=4", "--evaluate_every=2", "--trainer.max_time=00:00:00:00")
    assert done.returncode == 0, done.stderr
    assert "Nothing was measured: none of the 4 networks was evaluated." in done.stdout
    assert "0 of 4" not in done.stdout
    summary = summary_of(tmp_path)
    assert (summary["successes"], summary["n"], summary["measured"]) == (None, 4, 0)
    with (tmp_path / "logs" / "nmu_mul" / "version_0" / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["success"], row["error"], row["diverged"]) for row in rows] == 4 * [("", "", "")]


@pytest.mark.parametrize("command", ["validate", "test"])
def test_looking_at_a_run_needs_its_checkpoint(tmp_path, command):
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(io.StringIO()) as errors:
        patch.chdir(tmp_path)
        patch.setattr(sys, "argv", ["fit", command, *COMMAND[3:]])
        assert fit.main() == 2
    assert errors.getvalue().startswith(f"error: {command} needs a run to look at; got no --ckpt_path; see logs/")
    assert not (tmp_path / "logs").exists()


def test_a_figure_or_a_dashboard_that_fails_ends_no_run(tmp_path, monkeypatch):
    def fail(*arguments, **more):
        raise RuntimeError("no ink\nand more")

    monkeypatch.setattr("arith_lightning.callbacks.harmless._told", set())
    monkeypatch.setattr("arith_lightning.figures.members", fail)
    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter.add_scalar", fail)
    done = run_here(tmp_path, "--trainer.max_steps=4", "--evaluate_every=2")
    assert done.returncode == 0, done.stderr
    assert "the figure members is left out (RuntimeError: no ink); the run goes on" in done.stderr
    assert done.stderr.count("the dashboard is left out (") == 1
    assert summary_of(tmp_path)["n"] == 4


@pytest.mark.parametrize("room", [4_000, 9_000, 20_000])
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(tmp_path, room, uninterrupted):
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
    full = Forked([*COMMAND[1:], *EAGER], tmp_path, limit).ended()
    folder = tmp_path / "logs" / "nmu_mul" / "version_0"
    if full.returncode:
        assert full.returncode == 2, full.stderr
        assert "Traceback" not in full.stderr
        assert full.stderr.splitlines()[-1].startswith("error: files must be writable; got File too large")
        assert run_here(tmp_path, *EAGER).returncode == 0
    assert (folder / "runs.csv").read_text() == uninterrupted


def test_a_run_with_settings_is_gone_on_with_under_its_own_configuration(tmp_path):
    steps = ("--seeds", "2", "--trainer.max_steps", "20", "--evaluate_every", "10")
    command = configured("inalu_four_operations", *steps)
    first = run_here(tmp_path, *command)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "logs" / "inalu_four_operations"
    (folder / "version_0" / "summary.json").unlink()  # as if it had been killed before its answer
    again = run_here(tmp_path, *command)
    assert again.returncode == 0, again.stderr
    assert "continuing the unfinished run" in again.stderr
    assert [path.name for path in folder.iterdir()] == ["version_0"]
