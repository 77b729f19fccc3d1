import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arith_lightning.evaluation import Rate
from arith_lightning.ordinary import Course, Success, fitting, training

SHORT = ["--config", "digits.yaml", "--trainer.max_epochs", "3", "--success.above", "0.5"]


def fit(project, *more, wait=True):
    command = [sys.executable, "-m", "arith_lightning.fit", *SHORT, "--workers", "1", *more]
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    return (*process.communicate(), process.returncode) if wait else process


def test_the_example_is_small_and_knows_nothing_of_this_project(project):
    lines = [line for path in project.glob("*.py") for line in path.read_text().splitlines()]
    assert len(lines) <= 80
    assert not any("arith_lightning" in line for line in lines)


def test_fit_answers_with_a_rate_its_files_and_curves(project):
    out, err, code = fit(project, "--seeds", "0,1")
    assert code == 0, err
    folder = project / "logs" / "digits" / "version_0"
    found = json.loads((folder / "summary.json").read_text())
    rows = list(csv.DictReader((folder / "runs.csv").open()))
    passed = [float(row["val_acc"]) > 0.5 for row in rows]
    assert [row["seed"] for row in rows] == ["0", "1"]
    assert [row["success"] == "True" for row in rows] == passed
    rate = Rate(sum(passed), 2)
    assert (found["successes"], found["n"], tuple(found["interval"])) == (rate.successes, 2, rate.interval)
    assert f"{rate.successes} of 2 seeds solve it" in out
    board = EventAccumulator(str(folder)).Reload()
    assert {"val_acc/median", "val_acc/q25", "val_acc/q75", "success_rate"} <= set(board.Tags()["scalars"])
    assert board.summary_metadata["_hparams_/session_start_info"]
    median = min(float(row["val_acc"]) for row in rows), max(float(row["val_acc"]) for row in rows)
    assert median[0] <= board.Scalars("val_acc/median")[-1].value <= median[1]
    for seed in (0, 1):
        one = EventAccumulator(str(folder / "seeds" / str(seed))).Reload()
        assert len(one.Scalars("val_acc")) == 3
    assert (folder / "figures" / "curves.png").exists()


class Seen(Callback):
    def __init__(self):
        self.values = []

    def on_validation_end(self, trainer, pl_module):
        if not trainer.sanity_checking:
            self.values.append(trainer.callback_metrics["val_acc"].item())


def test_a_seed_is_what_a_plain_trainer_makes_of_it(project):
    course = training.train(SHORT, 3)
    from digits import Digits, DigitsData

    seed_everything(3, workers=True)
    seen = Seen()
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    Trainer(max_epochs=3, callbacks=[seen], enable_checkpointing=False, **quiet).fit(Digits(), DigitsData())
    assert course == Course(3, [23, 46, 69], seen.values)


@pytest.mark.parametrize("monitor", ["train_loss", "val_loss"])
def test_metrics_of_training_and_of_validation_are_followed_once_an_epoch(project, monitor):
    arguments = [
        "--config",
        "digits.yaml",
        "--trainer.max_epochs=3",
        f"--success={{monitor: {monitor}, above: null, below: 1}}",
    ]
    course = training.train(arguments, 0)
    assert course.steps == [23, 46, 69]
    assert len({*course.values}) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--success.monitor", "val_accc"], "got 'val_accc'; the nearest is 'val_acc'; it logs train_loss"),
        (["--success.below", "0.1"], "success needs one finite bound"),
        (["--model.init_args.widht", "3"], "unknown key 'widht'; the nearest is 'model.init_args.width'"),
        (["--model.init_args.width", "-3"], "negative dimension -3"),
        (["--trainer.devices", "2"], "trainer.devices must be 1"),
        (["--seed_everything", "5"], "seed_everything must be left out"),
        (["--seeds", "1,1"], "seeds must differ"),
        (["--data.init_args.batch_size", "-1"], "Digits must train in a plain Trainer"),
    ],
)
def test_a_refused_start_says_why_in_a_line_and_leaves_nothing(project, arguments, said):
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        fitting.command("fit", [*SHORT, "--seeds", "2", "--workers", "1", *arguments])
    assert "\n" not in str(refused.value)
    assert not (project / "logs").exists()


def test_an_ordinary_module_without_success_is_told_of_it(project):
    text = (project / "digits.yaml").read_text().replace("success:", "# ")
    (project / "digits.yaml").write_text(text)
    command = [sys.executable, "-m", "arith_lightning.fit", "--config", "digits.yaml"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 2
    assert "success: {monitor: val_acc, above: 0.95}" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_seeds_that_are_done_stay_done(project, number):
    process = fit(project, "--seeds", "3", "--trainer.max_epochs", "8", wait=False)
    folder = project / "logs" / "digits" / "version_0"
    first = folder / "seeds" / "0" / "course.json"
    end = time.monotonic() + 60
    while not first.exists() and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(process.pid, number)
    _, err = process.communicate()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted" in err
    assert not (folder / "summary.json").exists()
    written = first.stat().st_mtime_ns
    _, err, code = fit(project, "--seeds", "3", "--trainer.max_epochs", "8")
    assert code == 0, err
    assert "continuing the unfinished run" in err
    assert first.stat().st_mtime_ns == written
    assert json.loads((folder / "summary.json").read_text())["n"] == 3


def test_success_is_judged_at_the_last_value():
    success = Success("val_acc", above=0.9)
    course = Course(0, [1, 2, 3], [0.5, 0.95, 0.8])
    assert not course.success(success)
    assert course.solved_at(success) == 2
    assert success.best(course.values) == 0.95
    assert not Course(0, [1], [math.nan]).success(success)
    assert Course(0, [1], [math.nan]).diverged
    assert not Course(0, [1], [math.inf]).success(success)
