import pytest
import torch

from arith_lightning.data import BitParity
from arith_lightning.streams import Purpose, Stream


def batch(data, step=0, seed=0):
    return data.draw(Stream(seed, Purpose.TRAINING, step), {}, "interpolation", data.batch_size)


@pytest.mark.parametrize(("relevant", "factors"), [(None, 6), (3, 3), (1, 1)])
def test_the_answer_is_the_sign_of_the_product_of_the_relevant_bits(relevant, factors):
    x, y = batch(BitParity(6, relevant, batch_size=500))
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    # each zero bit is a factor of -1
    assert torch.equal(1 - 2 * y[0], x[:factors].prod(0) * (-1) ** factors)


def test_rows_are_fresh_at_every_step_and_fair():
    data = BitParity(16, batch_size=4096)
    (x, y), (again, _) = batch(data, 0), batch(data, 1)
    assert not torch.equal(x, again)
    assert x.mean(1).abs().max() < 0.06
    assert abs(y.mean() - 0.5) < 0.03


@pytest.mark.parametrize(("held_out", "asked"), [(0, 256), (1, 1), (64, 64)])
def test_listed_rows_are_split_without_overlap(held_out, asked):
    data = BitParity(8, held_out=held_out)
    weights = 2 ** torch.arange(8.0).unsqueeze(-1)
    trained, tested = (
        (((x + 1) / 2 * weights).sum(0).tolist())
        for x, _ in (data.evaluation_set("interpolation"), data.evaluation_set("extrapolation"))
    )
    assert data.batch_size == len(trained) == 256 - held_out
    assert sorted(trained if held_out == 0 else trained + tested) == list(range(256))
    assert len({*tested}) == len(tested) == asked


@pytest.mark.parametrize(("step", "active"), [(0, 1), (9, 1), (10, 2), (45, 5), (10**6, 5)])
def test_bits_join_one_by_one_in_training_only(step, active):
    data = BitParity(5, bit_steps=10, batch_size=64)
    x, y = batch(data, step)
    assert (x != 0).all(1).tolist() == [k < active for k in range(5)]
    assert torch.equal(y[0], (x > 0).sum(0) % 2.0)
    assert (data.evaluation_set("extrapolation")[0] != 0).all()


def test_fixed_rows_are_drawn_from_again_and_again_and_tested_on_others():
    data = BitParity(50, 3, rows=20, batch_size=200)
    known = {tuple(row) for row in data.evaluation_set("interpolation")[0].mT.tolist()}
    first, second = batch(data, 0, seed=1)[0], batch(data, 1, seed=2)[0]
    assert len(known) == 20
    assert not torch.equal(first, second)
    assert {tuple(row) for row in first.mT.tolist()} == {tuple(row) for row in second.mT.tolist()} == known
    tested = data.evaluation_set("extrapolation")[0].mT.tolist()
    assert len(tested) == 10_000
    assert not known & {tuple(row) for row in tested}


def test_one_wrong_row_is_too_many():
    for data in (BitParity(8), BitParity(8, held_out=0), BitParity(8, held_out=64)):
        _, y = data.evaluation_set("extrapolation")
        prediction = y.clone()
        prediction[0, 3] = torch.nan
        assert data.judge(prediction, y) > data.threshold({}) > data.judge(y, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bits": 0}, "bits must be positive; got 0"),
        ({"bits": 8, "relevant": 9}, r"relevant must lie in \[1, bits\]; got 9 of 8 bits"),
        ({"bits": 8, "held_out": 256}, r"leave a row to train on, of 16 bits at most; got 256 of 2\^8 rows"),
        ({"bits": 17, "held_out": 1}, "of 16 bits at most"),
        ({"held_out": 0, "bit_steps": 5}, "goes with fresh rows only; got 5"),
        ({"rows": 0}, r"rows must lie in \[1, 10000\], without held_out or bit_steps; got 0"),
        ({"rows": 5, "held_out": 3}, "without held_out or bit_steps; got 5"),
        ({"judged_step": "best"}, "judged_step must be one of lowest, last, first_success; got best"),
        ({"bit_steps": -1}, "bit_steps must not be negative"),
    ],
)
def test_wrong_data_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BitParity(**arguments)
