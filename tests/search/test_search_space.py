import copy

import pytest

import declaration

RATE = "model.init_args.learning_rate"
GOOD = {
    "base": "configs/sine_parity.yaml",
    "steps": 5,
    "seeds": 2,
    "trials": 4,
    "space": {
        RATE: {"low": 1.0e-3, "high": 1.0, "log": True},
        "model.init_args.optimizer": {"choices": ["adam", "sgd"]},
    },
    "map": {"x": RATE, "y": RATE},
}


def changed(**changes):
    return copy.deepcopy(GOOD) | changes


@pytest.mark.parametrize("name", declaration.available())
def test_every_space_is_valid(name):
    declaration.load(name).validate()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(space={RATE: {"low": 1.0, "high": 0.1}}), "`low < high` must hold; got low=1.0, high=0.1"),
        (changed(space={RATE: {"low": 0.0, "high": 0.1, "log": True}}), "must be positive; got low=0.0"),
        (changed(space={RATE: {"low": "1e-3", "high": 1.0}}), "must be numbers; got '1e-3'"),
        (changed(space={RATE: {"choices": []}}), "at least one value"),
        (changed(space={RATE: {"lo": 1, "high": 2}}), "unknown key 'lo'; the nearest is 'low'"),
        (changed(seeds=0), "seeds must be a positive whole number; got 0"),
        (changed(base="configs/none.yaml"), "base must be a configuration file; got 'configs/none.yaml'"),
        (changed(map={"x": RATE, "y": RATE + "s"}), f"the nearest is '{RATE}'"),
        (
            changed(space={RATE: {"low": 0.1, "high": 1.0, "when": {"a": [1]}}}),
            "`when` must name a parameter above it; got 'a'",
        ),
    ],
)
def test_a_broken_file_is_refused(content, message):
    with pytest.raises(ValueError, match=r"\w") as caught:
        declaration.parse("broken", content)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model.init_args.learning_rat": {"low": 0.1, "high": 1.0}}, "the nearest is 'model.init_args.learning_rate'"),
        ({RATE: {"low": -1.0, "high": 1.0}}, "learning_rate must not be negative"),
        ({"model.init_args.optimizer": {"choices": ["adam", "adagrad"]}}, "adagrad"),
    ],
)
def test_a_value_that_the_experiment_refuses_is_refused_before_any_trial(parameters, message):
    with pytest.raises(ValueError, match="broken: ") as caught:
        declaration.parse("broken", changed(space=parameters, map={})).validate()
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_grid_covers_panels_rows_and_columns_in_order():
    content = changed(map={"x": RATE, "y": RATE, "panels": "model.init_args.optimizer", "points": [3, 2]})
    grid = declaration.parse("grid", content).grid({"other": 1})
    assert len(grid) == 2 * 2 * 3
    assert [setting["model.init_args.optimizer"] for setting in grid] == ["adam"] * 6 + ["sgd"] * 6
    assert [setting[RATE] for setting in grid[:3]] == pytest.approx([1e-3, 10**-1.5, 1.0])
    assert all(setting["other"] == 1 for setting in grid)
