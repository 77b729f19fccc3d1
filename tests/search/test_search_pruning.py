import math

import optuna
import pytest
from example import GOOD, RATE
from optuna.trial import TrialState

from arith_lightning.search import pruning
from arith_lightning.search.declaration import parse
from arith_lightning.search.objective import Result
from arith_lightning.search.training import Batch

SPACE = parse("parity", GOOD | {"steps": 60, "fixed": {"evaluate_every": 10}})
SETTINGS = [{RATE: rate, "model.init_args.damping": 2.0} for rate in (1e-4, 1e-3, 0.1, 0.01)]


def test_rungs_are_powers_of_three():
    assert [k for k in range(1, 30) if pruning.is_rung(k)] == [1, 3, 9, 27]


@pytest.mark.parametrize(("values", "least"), [([1.0], 1.0), ([1, 2, 3], 3), ([4, 1, 3, 2], 3), (list(range(9)), 6)])
def test_the_best_third_stays(values, least):
    assert pruning.lowest_kept(values) == least


def test_pruned_settings_stop_and_the_others_train_as_if_alone():
    seen = {}

    def prune(evaluation, results):
        seen[evaluation] = set(results)
        return {1, 3} if evaluation == 1 else {0} if evaluation == 3 else set()

    whole = Batch(SPACE, compile=False).train(SETTINGS, range(3))
    pruned = Batch(SPACE, compile=False).train(SETTINGS, range(3), prune)
    assert seen == {1: {0, 1, 2, 3}, 2: {0, 2}, 3: {0, 2}, 4: {2}, 5: {2}}
    assert [r.pruned_at for r in pruned] == [30, 10, None, 10]
    assert whole[2].excess < 40
    assert pruned[2][:4] == whole[2][:4]


def test_a_batch_competes_with_all_trials_that_reached_the_rung():
    study = optuna.create_study(direction="maximize")
    for value in (0.3, 0.4, 0.5):
        trial = study.ask()
        trial.report(value, 1)
        study.tell(trial, state=TrialState.PRUNED)
    asked = [(study.ask(), {}) for _ in range(3)]
    prune = pruning.rule("halving", 100, study, asked)
    results = {k: Result(s, 4, 0, 40.0, math.nan) for k, s in enumerate((1, 2, 3))}
    assert prune(2, results) == set()
    # 0.25, 0.5 and 0.75 join 0.3, 0.4 and 0.5; two of six stay
    assert prune(1, results) == {0}
    assert [list(t.intermediate_values) for t in study.trials] == [[1]] * 6


def test_hyperband_starts_some_batches_at_later_rungs():
    study = optuna.create_study(direction="maximize")
    dropped = []
    for _ in range(3):
        asked = [(study.ask(), {}) for _ in range(3)]
        prune = pruning.rule("hyperband", 100, study, asked)
        results = {k: Result(k, 4, 0, 40.0, math.nan) for k in range(3)}
        dropped.append([len(prune(rung, results)) > 0 for rung in (1, 3, 9)])
    assert dropped == [[True, True, True], [False, True, True], [False, False, True]]


def test_no_pruner_drops_nothing():
    assert pruning.rule("none", 100, optuna.create_study(), []) is None
