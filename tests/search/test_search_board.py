import json
import math

import optuna
import pytest
from optuna.trial import TrialState
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from arith_lightning.evaluation import Rate
from arith_lightning.search import board, declaration
from arith_lightning.search.objective import Result
from arith_lightning.search.outcome import sample

OUTCOME = {"fresh": Rate(9, 10), "share": Rate(3, 10)}


@pytest.fixture
def study():
    study = optuna.create_study(direction="maximize")
    for number in range(12):
        trial = study.ask()
        rate = trial.suggest_float("model.rate", 0, 1)
        depth = trial.suggest_categorical("model.depth", [1, 2])
        if depth == 2:
            trial.suggest_int("model.width", 1, 9)
        result = Result(int(10 * rate), 10, 0, -1.0, 30.0, pruned_at=10 if number == 3 else None)
        trial.set_user_attr("result", result._asdict())
        trial.report(rate / 2, 1)
        study.tell(trial, *((None, TrialState.PRUNED) if number == 3 else (rate,)))
    return study


def plugin(run):
    events = EventAccumulator(str(run)).Reload()
    content = events.summary_metadata
    found = {}
    for tag, metadata in content.items():
        if metadata.plugin_data.plugin_name == "hparams":
            found[tag] = HParamsPluginData.FromString(metadata.plugin_data.content)
    return found, events


def test_all_trials_are_rows_of_one_table_with_the_union_of_their_columns(study, tmp_path):
    (tmp_path / "best.yaml").write_text("seeds: 1")
    board.tell(tmp_path, study, OUTCOME, {})
    found, events = plugin(tmp_path)
    experiment = next(iter(found.values())).experiment
    assert {info.name for info in experiment.hparam_infos} == {"model.rate", "model.depth", "model.width", "state"}
    assert {info.name.tag for info in experiment.metric_infos} == set(board.METRICS)
    assert events.Scalars("success_rate/best_on_fresh_seeds")[0].value == pytest.approx(0.9)
    assert len(list((tmp_path / board.RUNS).iterdir())) == 12
    for trial in study.trials:
        rows, events = plugin(tmp_path / board.RUNS / f"{trial.number:05d}")
        start = next(data for data in rows.values() if data.HasField("session_start_info")).session_start_info
        assert start.hparams["model.rate"].number_value == trial.params["model.rate"]
        assert start.hparams["state"].string_value == trial.state.name
        assert events.Scalars("success_rate")[0].value == pytest.approx(trial.user_attrs["result"]["successes"] / 10)


def test_importances_name_the_parameter_that_decides(tmp_path):
    space = declaration.load("networks")
    settings = sample(space, 64)
    results = [Result(8 * (setting["model.class_path"] == "NMU"), 8, 0, 0.0, math.nan) for setting in settings]
    assert board.importances(space, settings, results, tmp_path) is not None
    known = json.loads((tmp_path / "importances.json").read_text())
    assert max(known, key=known.get) == "model.class_path"
    assert sum(known.values()) == pytest.approx(1)
    assert (tmp_path / "importances.png").exists()


def test_where_nothing_trains_no_parameter_stands_out(tmp_path):
    space = declaration.load("parity")
    results = [Result(0, 8, 8, 40.0, math.nan)] * 32
    board.importances(space, sample(space, 32), results, tmp_path)
    known = json.loads((tmp_path / "importances.json").read_text())
    assert set(known) == {parameter.key for parameter in space.parameters}
    assert max(known.values()) == pytest.approx(min(known.values()))
