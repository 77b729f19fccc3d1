import pytest
import torch

from arith_lightning.data import IntegerParity, IntegerSeries, SingleModuleTask


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: SingleModuleTask("modulo"),
            r"unknown operation 'modulo'; expected one of add, sub, mul, div \(to add one: .*OPERATIONS",
        ),
        (lambda: SingleModuleTask(interpolation=[2.0, 1.0]), r"got \[2.0, 1.0\]; try \[1, 2\]"),
        (lambda: SingleModuleTask(interpolation=[1.0, 1.0]), "low < high"),
        (lambda: SingleModuleTask(extrapolation=[1.0, float("inf")]), "finite low < high"),
        (lambda: SingleModuleTask(in_features=0), "at least 2, the two operands; got 0; try 2"),
        (lambda: SingleModuleTask(epsilon=1.0), r"epsilon must lie in \(0, 1\); got 1.0; the published values are"),
        (lambda: SingleModuleTask(epsilon=float("nan")), "epsilon .* got nan"),
        (lambda: SingleModuleTask(batch_size=-1), "batch_size must be positive; got -1; the published value is 128"),
        (lambda: IntegerSeries("modulo"), "unknown operation 'modulo'"),
        (lambda: IntegerSeries(tolerance=float("nan")), "tolerance must be positive; got nan; try 1e-3"),
        (lambda: IntegerParity(test_end=2**24 + 1), "test_end must lie in .* got 16777217; try 1000"),
        (lambda: IntegerParity(train_end=0), r"train_end must lie in .* got 0; try 1000"),
    ],
)
def test_a_refusal_names_the_rule_the_value_and_the_way_out(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_batch_depends_on_seed_and_step_alone():
    first, same, other = (SingleModuleTask(seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.training_batch(7)[0], same.training_batch(7)[0])
    assert not torch.equal(first.training_batch(7)[0], first.training_batch(8)[0])
    assert not torch.equal(first.training_batch(7)[0], other.training_batch(7)[0])


def test_the_fixed_sets_do_not_depend_on_the_seed_and_are_not_training_data():
    one, two = SingleModuleTask(extrapolation=[1.0, 2.0]), SingleModuleTask(extrapolation=[1.0, 2.0], seed=9)
    sets = [one.evaluation_set(split)[0] for split in ("interpolation", "extrapolation")]
    assert torch.equal(sets[0], two.evaluation_set("interpolation")[0])
    assert sets[0].shape == (2, 10_000)
    assert not set(sets[0][0].tolist()) <= set(sets[1][0].tolist())
    assert not torch.equal(one.training_batch(0)[0].mT, sets[0][:, :128])


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_distractors_do_not_enter_the_target(name):
    data = SingleModuleTask(name, in_features=5)
    x, y = data.training_batch(0)
    expected = {"add": x[:, 0] + x[:, 1], "sub": x[:, 0] - x[:, 1], "mul": x[:, 0] * x[:, 1], "div": x[:, 0] / x[:, 1]}
    assert torch.equal(y[:, 0], expected[name])


def test_operands_and_distractors_are_independent():
    x, _ = SingleModuleTask(in_features=6).evaluation_set("interpolation")
    correlation = torch.corrcoef(x) - torch.eye(6)
    assert correlation.abs().max() < 0.05


def test_parity_covers_every_integer_and_both_classes():
    x, y = IntegerParity(7, 12).evaluation_set("extrapolation")
    assert (x.tolist(), y.tolist()) == ([[*range(12)]], [[k % 2 for k in range(12)]])
    assert IntegerParity(7, 12).training_batch(3)[0].flatten().tolist() == [*range(7)]


def test_a_loader_starts_at_the_first_step_and_follows_the_data_module():
    data = SingleModuleTask(batch_size=4, seed=5)
    batches = iter(data.train_dataloader())
    for step in range(3):
        assert torch.equal(next(batches)[0], data.training_batch(step)[0])
