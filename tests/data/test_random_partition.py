import pytest
import torch

from arith_lightning.data import RandomPartition


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div"])
def test_every_input_is_of_one_sum_at_most(operation):
    data = RandomPartition(operation, [1, 2], [2, 6])
    members = data.columns()["members"]
    assert members.sum(0).max() == 1
    assert 35 < members[0].sum() < 65
    assert 12 < members[1].sum() < 38
    x, y = data.evaluation_set("extrapolation")
    a, b = (x.double()[row.bool()].sum(0) for row in members)
    expected = {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[operation]
    torch.testing.assert_close(y[0], expected.float())


def test_another_seed_is_another_partition_and_members_share_one():
    first, same, other = (
        RandomPartition(partition_seed=s, seed=k).columns()["members"] for s, k in ((0, 0), (0, 5), (1, 0))
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_rows_come_back_in_order():
    data = RandomPartition(batch_size=16, rows=48)
    first = [data.training_batch(step)[0] for step in range(3)]
    assert torch.equal(data.training_batch(7)[0], first[1])
    assert not torch.equal(first[0], first[1])


def test_a_published_normal_distribution():
    data = RandomPartition(
        "add", distribution="truncated_normal", interpolation_shape=[0, 1], extrapolation_shape=[-4, 1 / 3]
    )
    x, _ = data.evaluation_set("interpolation")
    assert x.std().item() == pytest.approx(0.9866, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operation": "square"}, "operation must be add, sub, mul or div; got 'square'"),
        ({"in_features": 1}, "in_features must be at least 2"),
        ({"rows": 100}, "rows must be a positive multiple of batch_size; got 100 in batches of 64; try 64"),
        ({"tolerance": 0.0}, "tolerance must be positive and finite"),
        ({"distribution": "exponential"}, "interpolation_shape must be"),
        ({"in_features": 2, "partition_seed": 0}, "both sums need an input"),
    ],
)
def test_wrong_partitions_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RandomPartition(**options)
