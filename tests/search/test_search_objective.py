import pytest
import torch
from test_search_space import GOOD, RATE

from declaration import parse
from objective import WORST, Batch, Result, value


def result(successes, excess, diverged=0):
    return Result(successes, 4, diverged, excess, float("nan"))


def test_values_rank_successes_first_then_errors_then_divergence():
    worst_to_best = [
        result(0, 40.0, diverged=4),
        result(0, 40.0, diverged=3),
        result(0, 6.0),
        result(0, -6.0),
        result(1, 40.0),
        result(1, -40.0),
        result(2, 40.0),
        result(4, 0.0),
    ]
    values = [value(r, 100) for r in worst_to_best]
    assert values == sorted(values)
    assert values[0] == WORST
    assert values[0] < values[1]
    assert value(result(1, -40.0), 100) < 0.5


def test_of_equal_successes_and_errors_the_earlier_is_better_and_never_outweighs_a_success():
    early, late = (value(result(2, -3.0)._replace(solved_at=at), 100) for at in (10.0, 90.0))
    assert late < early < value(result(3, 40.0), 100)
    assert early - late < value(result(2, -3.5), 100) - value(result(2, -3.0), 100) + 0.01


def test_a_search_judges_on_other_examples_than_fit_reports():
    space = parse("numbers", GOOD | {"base": "configs/nmu_mul.yaml", "space": {RATE: {"low": 0.1, "high": 1.0}}})
    judged, _ = Batch(space, compile=False)._experiment({RATE: 0.1})
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
