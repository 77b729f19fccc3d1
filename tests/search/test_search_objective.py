from arith_lightning.search.objective import WORST, Result, value


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
