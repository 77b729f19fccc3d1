import pytest
import torch

from arith_lightning.evaluation import Rate, sparsity_error
from arith_lightning.evaluation.record import Measured, Record


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [
        (0, 100, (0.0, 0.036993)),
        (31, 100, (0.227797, 0.406261)),
        (98, 100, (0.929988, 0.994498)),
        (7, 25, (0.1428, 0.4758)),
    ],
)
def test_wilson_intervals(successes, n, interval):
    assert Rate(successes, n).interval == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize(
    ("successes", "n", "printed", "percent"),
    [
        (1000, 1000, "1000/1000 = 1.00 [0.99, 1.00]", ("99%", "100%")),  # 0.9962
        (900, 900, "900/900 = 1.00 [0.99, 1.00]", ("99%", "100%")),  # 0.9957
        (0, 1000, "0/1000 = 0.00 [0.00, 0.01]", ("0%", "1%")),  # 0.0038
        (31, 100, "31/100 = 0.31 [0.22, 0.41]", ("22%", "41%")),  # 0.2278 to 0.4063
        (1, 1, "1/1 = 1.00 [0.20, 1.00]", ("20%", "100%")),  # 0.2065
    ],
)
def test_a_printed_interval_holds_the_whole_interval(successes, n, printed, percent):
    rate = Rate(successes, n)
    assert str(rate) == printed
    assert rate.percent() == percent


def test_no_end_of_an_interval_is_rounded_inward():
    for n in (*range(1, 60), 100, 225, 900, 3600):
        for successes in range(0, n + 1, max(1, n // 50)):
            rate = Rate(successes, n)
            for digits in (2, 4):
                low, high = map(float, rate.ends(digits))
                assert low <= rate.interval[0] < low + 10**-digits + 1e-12
                assert high - 10**-digits - 1e-12 < rate.interval[1] <= high


@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        # Newcombe 1998, table II, method 10: [0.0524, 0.3339], [0.1705, 0.8090], [-0.0381, 0.1926]
        ((56, 70), (48, 80), False),
        ((9, 10), (3, 10), False),
        ((5, 56), (0, 29), True),
        ((10, 10), (25, 25), True),
        ((0, 10), (0, 25), True),
        ((0, 10), (25, 25), False),
    ],
)
def test_rates_agree_where_newcombe_s_interval_holds_zero(one, other, agrees):
    assert Rate(*one).agrees(Rate(*other)) is agrees
    assert Rate(*other).agrees(Rate(*one)) is agrees


@pytest.mark.parametrize(
    ("weights", "expected"), [((0.25, -0.9), 0.25), ((0.5, 1.0), 0.5), ((1.2, 0.0), 0.2), ((-1.0, 1.0), 0.0)]
)
def test_sparsity_error(weights, expected):
    assert sparsity_error([torch.tensor([weights])]).item() == pytest.approx(expected)


def evaluated(*evaluations, threshold=1.0, judged="lowest"):
    record, limit = Record.blank(torch.zeros(1, 1)), torch.tensor([threshold])
    for step, (interpolation, error) in enumerate(evaluations, 1):
        low, high = torch.tensor([interpolation]), torch.tensor([error])
        record = record.updated(Measured(low, high, high, low), torch.full((1, 1), float(step)), limit, step, judged)
    return record, record.success(limit)


@pytest.mark.parametrize(
    ("evaluations", "best_step", "solved_at", "success"),
    [
        ([(3.0, 9.0), (1.0, 0.5), (2.0, 0.1)], 2, 2, True),
        ([(1.0, 9.0), (2.0, 0.1)], 1, 2, False),  # judged by interpolation, though a later step would do
        ([(1.0, 1.0)], 1, -1, False),  # at the threshold is not below it
        ([(1.0, 0.5), (float("nan"), float("nan"))], 1, 1, False),  # diverged afterwards
        ([(float("nan"), float("nan"))], -1, -1, False),
    ],
)
def test_verdict(evaluations, best_step, solved_at, success):
    record, verdicts = evaluated(*evaluations)
    assert (record.best_step.item(), record.solved_at_step.item(), verdicts.item()) == (best_step, solved_at, success)
    assert record.parameters.item() == max(best_step, 0)


@pytest.mark.parametrize(
    ("judged", "evaluations", "best_step", "success"),
    [
        # learnt by heart at step 1, generalises at step 3
        ("lowest", [(0.1, 9.0), (0.2, 9.0), (0.3, 0.5)], 1, False),
        ("last", [(0.1, 9.0), (0.2, 9.0), (0.3, 0.5)], 3, True),
        ("first_success", [(0.1, 9.0), (0.2, 9.0), (0.3, 0.5)], 3, True),
        # forgets it again
        ("lowest", [(0.3, 9.0), (0.2, 0.5), (0.1, 9.0)], 3, False),
        ("last", [(0.3, 9.0), (0.2, 0.5), (0.1, 9.0)], 3, False),
        ("first_success", [(0.3, 9.0), (0.2, 0.5), (0.1, 0.4)], 2, True),
        ("first_success", [(0.3, 9.0), (0.2, 8.0), (0.4, 7.0)], 2, False),  # never: the lowest
        ("last", [(0.3, 0.5), (float("nan"), float("nan"))], 1, False),
    ],
)
def test_the_judged_step_can_be_chosen(judged, evaluations, best_step, success):
    record, verdicts = evaluated(*evaluations, judged=judged)
    assert (record.best_step.item(), verdicts.item(), record.parameters.item()) == (best_step, success, best_step)
