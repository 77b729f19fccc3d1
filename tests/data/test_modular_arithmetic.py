import pytest
import torch

from arith_lightning.data import ModularArithmetic


def answers(data):
    """Return {(a, b): answer} of both halves of the pairs, and how many pairs each split has."""
    found, counts = {}, []
    for split in ("interpolation", "extrapolation"):
        x, y = data.evaluation_set(split)
        assert (x.sum(0) == 2).all()
        assert (y.sum(0) == 1).all()
        first, second = x.split(data.modulus)
        found |= dict(
            zip(
                zip(first.argmax(0).tolist(), second.argmax(0).tolist(), strict=True), y.argmax(0).tolist(), strict=True
            )
        )
        counts.append(x.shape[1])
    return found, counts


@pytest.mark.parametrize(
    ("operation", "table"),
    [
        ("add", [[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
        ("sub", [[0, 2, 1], [1, 0, 2], [2, 1, 0]]),
        ("mul", [[0, 0, 0], [0, 1, 2], [0, 2, 1]]),
    ],
)
def test_answers_are_the_tables_modulo_three(operation, table):
    found = {}
    for held_out in ("selection", "test"):
        found |= answers(ModularArithmetic(3, operation, 0.5, held_out=held_out))[0]
    assert found == {(a, b): table[a][b] for a in range(3) for b in range(3)}


def test_the_three_parts_do_not_overlap_and_another_seed_splits_otherwise():
    data = ModularArithmetic(11, train_share=0.4, choosing="held_out")
    parts = [data.trained, data.chosen_by, data.tested]
    assert [part.shape[1] for part in parts] == [48, 36, 37]
    assert len({tuple(pair) for part in parts for pair in part.mT.tolist()}) == 121
    assert not torch.equal(data.trained, ModularArithmetic(11, train_share=0.4, split_seed=1).trained)


def test_a_search_never_sees_the_reported_half():
    data = ModularArithmetic(11)
    selecting = data.for_selection()
    assert torch.equal(data.trained, selecting.trained)
    seen = {tuple(pair) for pair in selecting.tested.mT.tolist()}
    assert not seen & {tuple(pair) for pair in data.tested.mT.tolist()}


def test_one_wrong_answer_is_too_many_without_tolerance():
    data = ModularArithmetic(11, tolerance=0.0)
    _, y = data.evaluation_set("extrapolation")
    for value in (2.0, torch.nan):
        prediction = y.clone()
        prediction[(y[:, 0].argmax() + 1) % 11, 0] = value
        assert data.judge(prediction, y) > data.threshold({}) > data.judge(y, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modulus": 1}, r"modulus must lie in \[2, 128\]; got 1"),
        ({"operation": "div"}, "operation must be one of add, sub, mul; got div"),
        ({"train_share": 1.0}, r"leave a pair to train on and two to test; got 1.0 of 23\^2 pairs"),
        ({"train_share": float("nan")}, "leave a pair to train on"),
        ({"judged_step": "best"}, "judged_step must be one of lowest, last, first_success; got best"),
        ({"choosing": "test"}, "choosing must be one of"),
        ({"tolerance": 1.0}, "tolerance must lie in"),
        ({"split_seed": -1}, "split_seed must lie in"),
    ],
)
def test_wrong_data_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModularArithmetic(**arguments)
