import math

import pytest
from example import GOOD, RATE, changed
from rich.console import Console

from arith_lightning import search
from arith_lightning.evaluation import Rate
from arith_lightning.search import answer, declaration, outcome
from arith_lightning.search.objective import Result

DEPTH, BITS, WIDTH = "model.init_args.depth", "data.init_args.bits", "model.init_args.width"
DEEP = changed(
    base="configs/systems/mlp_bit_parity.yaml",
    space={
        RATE: {"low": 1.0e-3, "high": 1.0, "log": True},
        DEPTH: {"choices": [1, 2]},
        BITS: {"choices": [2, 3]},
        WIDTH: {"choices": [4, 8], "when": {DEPTH: [2]}},
    },
    asked=[DEPTH, BITS],
    map={"x": RATE, "y": WIDTH},
)


def found(successes, longer=None, share=None):
    slow = None if longer is None else Rate(longer, 32)
    return outcome.Outcome({RATE: 0.1}, Rate(successes, 100), 250.0, slow, {RATE: [0.01, 0.5]}, 4, share)


def test_each_combination_that_is_asked_about_is_a_space_of_what_is_left_to_choose():
    space = search.parse("deep", DEEP | {"map": None})
    parts = space.parts()
    assert [part.name for part in parts] == [f"deep/depth={d},bits={b}" for d in (1, 2) for b in (2, 3)]
    assert [{parameter.name for parameter in part.parameters} for part in parts] == [
        {"learning_rate"},
        {"learning_rate"},
        {"learning_rate", "width"},
        {"learning_rate", "width"},
    ]
    assert not any(parameter.when for part in parts for parameter in part.parameters)
    assert parts[-1].build({RATE: 0.1, WIDTH: 8}).data.bits == 3
    assert len({part.digest() for part in parts}) == 4
    for part in parts:
        part.validate()


def test_a_space_that_asks_nothing_is_its_own_only_part():
    space = search.parse("good", GOOD)
    assert space.parts() == [space]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("depth", "must be a list"),
        ([RATE], "must name parameters of the space with single choices"),
        ([WIDTH], "must name parameters"),
        (["model.init_args.deth"], f"the nearest is '{DEPTH}'"),
        ([DEPTH, DEPTH], "name a parameter once"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, said):
    with pytest.raises(ValueError, match=said.replace("[", r"\[")) as error:
        declaration.parse("deep", DEEP | {"asked": asked, "map": None})
    assert "\n" not in str(error.value)


def test_a_space_must_leave_something_to_choose():
    with pytest.raises(ValueError, match="leave something to choose"):
        declaration.parse("deep", changed(space={DEPTH: {"choices": [1, 2]}}, asked=[DEPTH], map=None))


def test_slow_is_told_from_never(tmp_path):
    space = search.parse("deep", DEEP | {"map": None})
    outcomes = [found(100), found(95), found(40, longer=30), found(0, longer=1)]
    parts = [answer.Part(part, each) for part, each in zip(space.parts(), outcomes, strict=True)]
    assert answer.sentences(space, parts) == [
        "bits 2: trains at depth 1, with 8 times the steps at depth 2 (90% of fresh seeds or more)",
        "bits 3: trains at depth 1, not at depth 2 (90% of fresh seeds or more)",
    ]
    console = Console(record=True, width=80, force_terminal=False)
    answer.tell(space, parts, tmp_path, console)
    text = (tmp_path / answer.ANSWER).read_text()
    assert "| 2 | 2 | 40/100 | 250 | 30/32 |  |" in text
    assert "depth 1, bits 2: learning rate 0.01 to 0.5" in text
    assert all(len(line) <= 80 for line in console.export_text().splitlines()[:-2])


def test_windows_hold_the_settings_that_train_and_no_other():
    space = search.parse("good", GOOD)

    def did(successes):
        return Result(successes, 10, 0, 0.0, math.nan)

    tried = [({RATE: 0.2}, did(9)), ({RATE: 0.05}, did(10)), ({RATE: 0.9}, did(8)), ({RATE: 0.001}, did(0))]
    assert outcome.windows(space, tried) == {RATE: [0.05, 0.2]}
    assert outcome.windows(space, tried[2:]) == {}


def test_a_longer_run_stretches_its_schedule_and_is_evaluated_as_often():
    config = {
        "evaluate_every": 10,
        "model": {"class_path": "MLP", "init_args": {"schedule_steps": 100, "depth": 2}},
        "trainer": {"max_steps": 100},
    }
    longer = outcome.stretched(config)
    assert longer["evaluate_every"] == 80
    assert longer["trainer"]["max_steps"] == 800
    assert longer["model"]["init_args"] == {"schedule_steps": 800, "depth": 2}
    assert config["trainer"]["max_steps"] == 100
