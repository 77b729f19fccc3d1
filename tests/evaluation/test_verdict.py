import math

import pytest
import torch

from arith_lightning.evaluation import Rate, sparsity_error, verdict

NAN, INF = math.nan, math.inf


def judged(*evaluations, threshold=1.0):
    """One run through evaluations (interpolation, error): best step, solved-at step, diverged, success."""
    limit = torch.tensor([threshold], dtype=torch.float64)
    record = verdict.blank(1, torch.zeros(()))
    for step, (interpolation, error) in enumerate(evaluations, 1):
        values = {"interpolation_mse": interpolation, "extrapolation_mse": error, "error": error}
        record, _ = verdict.update(record, {k: torch.tensor([v]) for k, v in values.items()}, limit, step)
    names = ("best_step", "solved_at_step", "diverged")
    return (*(record[name].item() for name in names), verdict.success(record, limit).item())


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        ([], (-1, -1, False, False)),
        ([(1.0, NAN)], (1, -1, False, False)),  # not a number outside the training range
        ([(1.0, INF)], (1, -1, False, False)),
        ([(INF, 0.5)], (-1, 1, True, False)),
        ([(1.0, 0.5), (INF, INF)], (1, 1, True, False)),
        ([(1.0, 0.5), (1.0, 9.0)], (1, 1, False, True)),  # of equals the first
        ([(2.0, 0.5), (1.0, 9.0)], (2, 1, False, False)),  # solved once, judged later
    ],
)
def test_not_a_number_is_never_a_success(evaluations, expected):
    assert judged(*evaluations) == expected


def test_runs_do_not_see_each_other():
    record = verdict.blank(3, torch.zeros(()))
    values = torch.tensor([1.0, NAN, 3.0])
    limit = torch.tensor([2.0, 2.0, 2.0], dtype=torch.float64)
    record, better = verdict.update(
        record, {"interpolation_mse": values, "extrapolation_mse": values, "error": values}, limit, 7
    )
    assert better.tolist() == [True, False, True]
    assert record["best_step"].tolist() == [7, -1, 7]
    assert verdict.success(record, limit).tolist() == [True, False, False]


@pytest.mark.parametrize(("successes", "n", "text"), [(0, 4, "0/4 = 0.00"), (24, 25, "24/25 = 0.96")])
def test_a_rate_is_shown_with_its_n_and_interval(successes, n, text):
    assert str(Rate(successes, n)).startswith(text)
    assert Rate(successes, n).value == successes / n
    low, high = Rate(successes, n).interval
    assert 0 <= low <= successes / n <= high <= 1


def test_sparsity_error_is_the_worst_of_all_weights_and_undefined_without_any():
    assert sparsity_error([torch.tensor([[1.0]]), torch.tensor([[0.3, 1.0]])]).item() == pytest.approx(0.3)
    assert sparsity_error([]).isnan()
    assert sparsity_error([torch.tensor([[NAN, 1.0]])]).isnan()
