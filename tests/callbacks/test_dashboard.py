"""What TensorBoard reads, read back from the event files."""

import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arith_lightning.architectures import NMU
from arith_lightning.callbacks import Dashboard, Doctor
from arith_lightning.callbacks.dashboard import ERRORS, quantiles
from arith_lightning.data import SingleModuleTask
from arith_lightning.diagnosis import ORDER, Diagnosis
from arith_lightning.population import Population


@pytest.fixture
def events(trainer, tmp_path):
    population = Population(NMU(learning_rate=0.1), SingleModuleTask(batch_size=16), seeds=range(5), evaluate_every=10)
    logger = TensorBoardLogger(tmp_path, "run", 0, default_hp_metric=False)
    (tmp_path / "run" / "version_0").mkdir(parents=True)
    config = {"model": {"class_path": "x.NMU", "init_args": {"learning_rate": 0.1}}, "data": {"class_path": "y.Task"}}
    (tmp_path / "run" / "version_0" / "config.yaml").write_text(str(config))
    doctor = Doctor(Console(quiet=True))
    doctor.found = [Diagnosis(ORDER[0], 3, 5, "diverged")]
    trainer(40, logger=logger, callbacks=[Dashboard(doctor, tmp_path / "run" / "version_0")]).fit(population)
    accumulator = EventAccumulator(str(tmp_path / "run" / "version_0"))
    return population, accumulator.Reload()


def test_every_evaluation_is_one_point_of_each_curve(events):
    population, read = events
    for tag in ("success_rate", *(f"{name}/{band}" for name in ERRORS for band in ("q25", "median", "q75"))):
        assert [point.step for point in read.Scalars(tag)] == [10, 20, 30, 40]
    last = read.Scalars("extrapolation_mse/median")[-1].value
    assert last == pytest.approx(population.record.latest_extrapolation_mse.median().item())


def test_weights_figures_configuration_and_hyperparameters_are_there(events):
    _, read = events
    assert read.Tags()["histograms"] == ["parameters/weight"]
    assert {"curves", "members", "parameters", "predictions"} <= set(read.Tags()["images"])
    assert {"config/text_summary", "custom_scalars__config__"} <= set(read.Tags()["tensors"])
    hparams = [tag for tag in read.summary_metadata if tag.startswith("_hparams_")]
    assert "_hparams_/session_start_info" in hparams


def test_what_is_not_a_number_counts_as_the_largest_error():
    values = torch.tensor([1.0, torch.nan, 3.0, 2.0, 4.0])
    assert quantiles(values) == [1.0, 2.0, 3.0, 4.0, torch.inf]


def test_why_members_fail_is_there_to_read(events):
    _, read = events
    [text] = read.Tensors("why/text_summary")
    assert "**diverged**: 3 of 5 unsolved networks diverged" in text.tensor_proto.string_val[0].decode()
