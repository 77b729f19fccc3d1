import optuna
import pytest
import torch
import yaml
from example import GOOD, RATE

from arith_lightning.config import experiment
from arith_lightning.search import declaration, training
from arith_lightning.search.declaration import parse
from arith_lightning.search.objective import WORST, value
from arith_lightning.search.space import Space
from arith_lightning.search.training import Batch
from arith_lightning.search.worker import Work, Worker

FIXED = {
    "model.class_path": "MLP",
    RATE: 0.01,
    "model.init_args.weight_decay": 0.1,
    "model.init_args.depth": 1,
}


def test_a_search_judges_on_other_examples_than_fit_reports():
    space = parse("numbers", GOOD | {"base": "configs/nmu_mul.yaml", "space": {RATE: {"low": 0.1, "high": 1.0}}})
    judged = Batch(space, compile=False)._experiment({RATE: 0.1})
    reported = space.build({RATE: 0.1})
    for split in ("interpolation", "extrapolation"):
        one, other = (e.data.evaluation_set(split)[0].flatten() for e in (judged, reported))
        assert not torch.isin(one, other).all()
        assert (one != other).double().mean() > 0.99


def test_a_setting_whose_seeds_all_diverge_has_the_finite_worst_value():
    space = parse("huge", GOOD | {"base": "configs/mlp_mul.yaml", "steps": 40, "fixed": {"evaluate_every": 20}})
    setting = {RATE: 1e30, "model.init_args.optimizer": "sgd"}
    found = Batch(space, compile=False).train([setting, setting | {RATE: 1e-3}], range(2))
    assert [r.diverged for r in found] == [2, 0]
    assert value(found[0], 40) == WORST < value(found[1], 40)


def test_settings_of_one_population_score_as_if_built_alone():
    space = parse("parity", GOOD | {"steps": 30, "fixed": {"evaluate_every": 10}})
    settings = [
        {RATE: rate, "model.init_args.damping": damping, "model.init_args.optimizer": optimizer}
        for rate, damping, optimizer in [(0.1, 2.0, "adam"), (0.01, 0.0, "adam"), (0.3, 1.5, "sgd")]
    ]
    together = Batch(space, compile=False).train(settings, range(3))
    alone = [Batch(space, compile=False).train([setting], range(3))[0] for setting in settings]
    for one, other in zip(together, alone, strict=True):
        assert one[:3] == other[:3]
        assert one.excess == pytest.approx(other.excess)


def test_a_number_that_is_no_hyperparameter_is_built_anew():
    space = parse("tolerance", GOOD | {"base": "configs/nalu_mul.yaml", "space": {RATE: {"low": 0.1, "high": 1.0}}})
    loose, strict = Batch(space, compile=False).train([{"data.init_args.tolerance": t} for t in (1e9, 1e-9)], range(2))
    assert (loose.successes, strict.successes) == (2, 0)


def test_trials_are_judged_on_held_out_pairs_that_are_not_reported(tmp_path):
    space = declaration.load("binary_multiplication")
    setting = space.suggest(optuna.trial.FixedTrial(FIXED))
    judged = Batch(space, compile=False)._experiment(setting)
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(space.configuration(setting, [0])))
    reported = experiment(["--config", str(tmp_path / "best.yaml")])
    one, other = ({tuple(pair) for pair in e.data.tested_pairs.T.tolist()} for e in (judged, reported))
    assert one
    assert other
    assert not one & other


def test_seeds_that_are_solved_may_stop_and_count_the_same(monkeypatch):
    start = {"model.init_args.init_center": 0.95, "model.init_args.init_scale": 0.04}
    base = {"base": "configs/nmu_mul.yaml", "steps": 300, "fixed": start | {"evaluate_every": 100}}
    space = parse("found", GOOD | base | {"space": {RATE: {"low": 1.0e-6, "high": 1.0}}})
    fit, left = training.fit, []

    def watched(population, *arguments):
        fit(population, *arguments)
        left.append(len(population.live.index))

    monkeypatch.setattr(training, "fit", watched)
    settings = [{RATE: 0.02}, {RATE: 1e-6}]
    whole, dropped = (
        Batch(space, compile=False).train(settings, range(3), drop_decided=drop) for drop in (False, True)
    )
    assert left == [6, 3]
    assert [(r.successes, r.solved_at) for r in whole[:1]] == [(r.successes, r.solved_at) for r in dropped[:1]]
    assert [r.successes for r in dropped] == [3, 0]


def test_a_trial_counts_the_successes_on_every_task_of_its_experiment():
    fixed = {"model.init_args.init_center": 0.95, "model.init_args.init_scale": 0.0, "evaluate_every": 50}
    space = parse(
        "tasks",
        GOOD
        | {"base": "configs/single_module.yaml", "steps": 100, "fixed": fixed}
        | {"space": {RATE: {"low": 0.0, "high": 1.0}}},
    )
    asked = []

    def prune(evaluation, results):
        asked.append((evaluation, sorted(results)))
        return {0} if evaluation == 1 else set()

    found = Batch(space, compile=False).train([{RATE: 0.0}, {RATE: 0.05}], range(2))
    assert [(r.successes, r.n) for r in found] == [(0, 18), (18, 18)]
    pruned = Batch(space, compile=False).train([{RATE: 0.0}, {RATE: 0.05}], range(2), prune)
    assert asked == [(1, [0, 1])]
    assert [(r.successes, r.n, r.pruned_at) for r in pruned] == [(0, 18, 50), (18, 18, None)]


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_a_choice_may_be_a_list(tmp_path):
    ranges = "data.init_args.interpolation"
    own = {"base": "configs/nmu_mul.yaml", "map": None, "space": {ranges: {"choices": [[1, 2], [0.5, 3]]}}}
    space = parse("ranges", GOOD | own)
    space.validate()
    results = Batch(space, compile=False).train([{ranges: [1, 2]}, {ranges: [0.5, 3]}, {ranges: [1, 2]}], range(2))
    assert results[0].excess == results[2].excess != results[1].excess
    worker, work = Worker(), Work(space, str(tmp_path / "journal.log"), "tpe", "none", 0, "token", False)
    worker.search(work, 2)
    assert {trial.params[ranges] for trial in worker.study.trials} <= {"[1, 2]", "[0.5, 3]"}


def test_a_worker_parses_a_space_once(monkeypatch):
    builds = []
    build = Space.build

    def counted(self, setting):
        builds.append(setting)
        return build(self, setting)

    monkeypatch.setattr(Space, "build", counted)
    setting = {RATE: 0.1, "model.init_args.optimizer": "adam"}
    worker = Worker()
    for rate in (0.1, 0.2, 0.3):
        worker.train(parse("parity", GOOD | {"steps": 2}), False, [setting | {RATE: rate}], [0])
    assert len(builds) == 1
    worker.train(parse("parity", GOOD | {"steps": 3}), False, [setting], [0])
    assert len(builds) == 2


def test_choices_may_be_lists_and_a_study_is_what_fit_trains_of_the_same_setting():
    key, ranges = "data.init_args.interpolation", [[1.0, 2.0], [10.0, 20.0]]
    scale = "model.init_args.init_scale"
    base = {"base": "configs/mlp_mul.yaml", "steps": 4, "fixed": {"evaluate_every": 2}, "map": {}}
    content = GOOD | base | {"space": {key: {"choices": ranges}, scale: {"low": 0.1, "high": 1.0}}}
    space = parse("ranges", content)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = [study.ask() for _ in range(6)]
    settings = [space.suggest(trial) for trial in trials]
    assert {str(setting[key]) for setting in settings} == {str(interval) for interval in ranges}
    assert [space.settings(trial.params) for trial in trials] == settings
    assert len(Batch(space, compile=False).train(settings, range(2))) == 6
    built = Batch(space, compile=False)._experiment(settings[0])
    by_name = built.members()[0]
    assert {value.item() for name, value in by_name.items() if name.endswith("init_scale")} == {settings[0][scale]}
