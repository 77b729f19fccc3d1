"""Every argument of Lightning's Trainer has its effect on a run, or is refused in one line that says what to do."""

import csv
import inspect
import io
import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from lightning import Callback, Trainer
from lightning.pytorch.accelerators import CPUAccelerator, CUDAAccelerator, MPSAccelerator
from lightning.pytorch.loggers import CSVLogger

from arith_lightning import fitting

CONFIG = str(Path(__file__).parents[1] / "configs" / "nmu_mul.yaml")
SMALL = ["--config", CONFIG, "--seeds=2", "--compile=false", "--evaluate_every=2", "--trainer.max_steps=8"]


class Watch(Callback):
    """Remembers what holds while a population is evaluated."""

    def on_validation_start(self, trainer, pl_module):
        self.deterministic = torch.are_deterministic_algorithms_enabled()
        self.benchmark = torch.backends.cudnn.benchmark

    def teardown(self, trainer, pl_module, stage):
        self.trainer, self.population = trainer, pl_module


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that gives the command arguments and tells how it went."""
    monkeypatch.chdir(tmp_path)

    def given(*arguments):
        monkeypatch.setattr(sys, "argv", ["fit", *SMALL, *arguments])
        watch, told = Watch(), []
        handler = logging.Handler()
        handler.emit = lambda record: told.append(record.getMessage())
        logging.getLogger("lightning.pytorch").addHandler(handler)
        try:
            with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
                code = fitting.main([watch])
        finally:
            logging.getLogger("lightning.pytorch").removeHandler(handler)
            torch.use_deterministic_algorithms(False)
            torch.backends.cudnn.benchmark = False
        return SimpleNamespace(
            code=code, out=out.getvalue(), err=err.getvalue(), log="\n".join(told), watch=watch, root=tmp_path
        )

    return given


REFUSED = {
    "accelerator": "gpu",
    "strategy": "ddp",
    "devices": "2",
    "num_nodes": "2",
    "precision": "bf16-true",
    "max_epochs": "3",
    "limit_train_batches": "2",
    "limit_val_batches": "0",
    "limit_test_batches": "0",
    "limit_predict_batches": "1",
    "overfit_batches": "1",
    "val_check_interval": "2",
    "check_val_every_n_epoch": "2",
    "num_sanity_val_steps": "2",
    "log_every_n_steps": "50",
    "enable_model_summary": "true",
    "enable_autolog_hparams": "true",
    "accumulate_grad_batches": "4",
    "gradient_clip_val": "1.0",
    "gradient_clip_algorithm": "norm",
    "use_distributed_sampler": "false",
    "sync_batchnorm": "true",
    "detect_anomaly": "true",
    "inference_mode": "false",
    "barebones": "true",
    "plugins": "TorchCheckpointIO",
    "reload_dataloaders_every_n_epochs": "1",
    "model_registry": "somewhere",
}


def stop(*more):
    """Stop at the second evaluation, for nothing is solved by then."""
    key = "--trainer.callbacks"
    return [f"{key}+=EarlyStopping", f"{key}.monitor=success_rate", f"{key}.patience=1", *more]


HONOURED = {
    "accelerator": (["--trainer.accelerator=cpu"], lambda r: isinstance(r.watch.trainer.accelerator, CPUAccelerator)),
    "precision": (["--trainer.precision=64-true"], lambda r: r.watch.population.precision == torch.float64),
    "logger": (["--trainer.logger=false"], lambda r: not [*r.root.rglob("events*")] and "tensorboard" not in r.out),
    "callbacks": (stop(), lambda r: r.watch.trainer.global_step == 4),
    "min_epochs": (stop("--trainer.min_epochs=3"), lambda r: r.watch.trainer.global_step == 6),
    "min_steps": (stop("--trainer.min_steps=6"), lambda r: r.watch.trainer.global_step == 6),
    "max_steps": (["--trainer.max_steps=6"], lambda r: r.watch.trainer.global_step == 6),
    "max_time": (["--trainer.max_time=00:00:00:00"], lambda r: r.watch.trainer.global_step < 8),
    "fast_dev_run": (
        ["--trainer.fast_dev_run=3"],
        lambda r: "A dry run (trainer.fast_dev_run): 3 steps" in r.out and "solve it" not in r.out and not left(r.root),
    ),
    "enable_checkpointing": (
        ["--trainer.enable_checkpointing=false"],
        lambda r: [*r.root.rglob("summary.json")] and not [*r.root.rglob("*.ckpt")],
    ),
    "enable_progress_bar": (["--trainer.enable_progress_bar=false"], lambda r: r.err == ""),
    "deterministic": (["--trainer.deterministic=true"], lambda r: r.watch.deterministic),
    "benchmark": (["--trainer.benchmark=true"], lambda r: r.watch.benchmark),
    "profiler": (["--trainer.profiler=simple"], lambda r: "Profiler Report" in r.log),
    "default_root_dir": (
        ["--trainer.default_root_dir=else where"],
        lambda r: left(r.root) == ["else where"] and (r.root / "else where/nmu_mul/version_0/summary.json").exists(),
    ),
}


def left(folder):
    """Return the names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def refused(done, *named):
    """Hold a start to be refused in one line that names something, and to leave nothing."""
    assert (done.code, done.err.count("\n"), done.out) == (2, 1, ""), done.err
    assert all(name in done.err for name in named), done.err
    assert done.err.count(";") >= 2, f"the rule, the value, the way out: {done.err}"
    assert left(done.root) == []


def test_no_argument_of_the_trainer_is_forgotten():
    assert {*REFUSED, *HONOURED} == {*inspect.signature(Trainer).parameters}


@pytest.mark.parametrize("flag", REFUSED)
def test_a_flag_that_cannot_be_heeded_is_refused(flag, run, monkeypatch):
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: False))
    refused(run(f"--trainer.{flag}={REFUSED[flag]}"), f"trainer.{flag}")


@pytest.mark.parametrize("flag", HONOURED)
def test_a_flag_has_its_effect(flag, run, monkeypatch):
    monkeypatch.setattr(fitting.Dashboard, "on_fit_end", Callback.on_fit_end)  # pictures take their time
    arguments, holds = HONOURED[flag]
    done = run(*arguments)
    assert done.code == 0, done.err
    assert holds(done), (done.out, done.err, left(done.root))


def test_without_the_flags_none_of_the_effects_is_there(run):
    done = run()
    assert [flag for flag, (_, holds) in HONOURED.items() if holds(done)] == (
        [] if CUDAAccelerator.is_available() else ["accelerator"]
    )
    assert "Dashboard: tensorboard --logdir logs\n" in done.out


def test_a_seed_for_everything_is_refused(run):
    refused(run("--seed_everything=5"), "seed_everything", "--seeds")


# Loggers


def test_a_csv_logger_gets_the_curves_and_the_hyperparameters(run):
    done = run("--trainer.logger=CSVLogger", "--trainer.logger.save_dir=tables")
    assert done.code == 0, done.err
    folder = done.root / "tables" / "lightning_logs" / "version_0"
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [row["step"] for row in rows] == ["2", "4", "6", "8"]
    median = done.watch.population.record.latest_extrapolation_mse.sort().values[0].item()
    assert float(rows[-1]["extrapolation_mse/median"]) == pytest.approx(median)
    assert {f"interpolation_mse/{band}" for band in ("q25", "median", "q75")} | {"success_rate"} <= {*rows[0]}
    assert yaml.safe_load((folder / "hparams.yaml").read_text())["model.class_path"] == "NMU"
    assert not [*done.root.rglob("events*")]
    assert "tensorboard" not in done.out


def test_two_loggers_get_the_same(run):
    one = "{class_path: CSVLogger, init_args: {save_dir: tables}}"
    two = "{class_path: TensorBoardLogger, init_args: {save_dir: board}}"
    done = run(f"--trainer.logger=[{one}, {two}]")
    assert done.code == 0, done.err
    assert [*(done.root / "tables").rglob("metrics.csv")]
    assert [*(done.root / "board").rglob("events*")]


def test_a_logger_without_its_folder_is_refused(run):
    refused(run("--trainer.logger=CSVLogger"), "trainer.logger", "--trainer.logger.save_dir")


@pytest.mark.parametrize(("logger", "package"), [("WandbLogger", "wandb"), ("MLFlowLogger", "mlflow")])
def test_a_logger_that_is_not_installed_is_refused(logger, package, run):
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    refused(run(f"--trainer.logger={logger}"), f"pip install '{package}")


def test_a_logger_that_does_not_start_is_refused(run, monkeypatch):
    class ClosedError(Exception):
        pass

    def experiment(self):
        raise ClosedError("no API key")

    monkeypatch.setattr(CSVLogger, "experiment", property(experiment))
    refused(run("--trainer.logger=CSVLogger", "--trainer.logger.save_dir=tables"), "trainer.logger", "no API key")


def test_where_no_accelerator_has_doubles_a_population_trains_on_the_cpu(run, monkeypatch):
    monkeypatch.setattr(fitting.Dashboard, "on_fit_end", Callback.on_fit_end)
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: False))
    monkeypatch.setattr(MPSAccelerator, "is_available", staticmethod(lambda: True))
    done = run()
    assert done.code == 0, done.err
    assert isinstance(done.watch.trainer.accelerator, CPUAccelerator)
