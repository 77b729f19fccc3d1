import optuna
import pytest
from example import GOOD, RATE

from arith_lightning.search import efficiency
from arith_lightning.search.declaration import parse
from arith_lightning.search.efficiency import Found, quartiles, study
from arith_lightning.search.samplers import EXPLORED, STARTUP, sampler
from arith_lightning.search.worker import Worker


def test_a_study_ends_with_the_first_setting_that_trains():
    start = {"model.init_args.init_center": 0.95, "model.init_args.init_scale": 0.04}
    base = {"base": "configs/nmu_mul.yaml", "trials": 6, "fixed": start | {"evaluate_every": 100}}
    easy = parse("easy", GOOD | base | {"steps": 300, "space": {RATE: {"low": 0.01, "high": 0.02}}})
    found = study(Worker(), easy, "random", seed=0, batch=2)
    assert (found.trials, found.succeeded) == (1, True)
    hopeless = parse("hopeless", GOOD | base | {"steps": 2, "space": {RATE: {"low": 1.0e-6, "high": 2.0e-6}}})
    assert study(Worker(), hopeless, "random", seed=0, batch=4)[::2] == (6, False)


def test_samplers_are_compared_on_medians(monkeypatch, pool, capsys):
    counts = {"random": [9, 40, 20], "tpe": [3, 5, 4]}
    monkeypatch.setattr(efficiency.command, "open_pool", lambda options, lost: pool)
    monkeypatch.setattr(efficiency, "study", lambda worker, space, name, k, batch: Found(counts[name][k], 1.5, k > 0))
    pool.stop = lambda: None
    assert efficiency.main(["parity_fast", "--samplers", "random", "tpe", "--studies", "3", "--workers", "1"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert ["20 [14.5, 30]" in lines[0], "4 [3.5, 4.5]" in lines[1], "2/3" in lines[1]] == [True] * 3
    assert quartiles([7]) == (7, 7, 7)


def test_tpe_goes_on_proposing_some_settings_at_random():
    own = optuna.create_study(sampler=sampler("tpe", 0, 0, 0))
    own.optimize(lambda trial: abs(trial.suggest_float("x", 0, 1) - 0.3), n_trials=80)
    distances = {
        explored: [t.value for t in own.trials[4 * STARTUP :] if (t.number % EXPLORED == 0) == explored]
        for explored in (True, False)
    }
    assert sorted(distances[False])[len(distances[False]) // 2] < 0.1
    assert max(distances[True]) > 0.3
    assert sum(distances[True]) / len(distances[True]) == pytest.approx(0.29, abs=0.12)
