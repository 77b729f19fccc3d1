import optuna
import pytest
import yaml
from example import GOOD, RATE, changed

from arith_lightning import shipped
from arith_lightning.config import experiment
from arith_lightning.search import declaration


@pytest.mark.parametrize("name", shipped.available())
def test_every_space_is_valid(name):
    declaration.load(name).validate()


def test_spaces_of_a_folder_are_known_by_it_and_their_studies_by_the_file_alone():
    assert declaration.load("found/npu_mul_ranges").name == "npu_mul_ranges"
    with pytest.raises(ValueError, match=r"got 'npu_mul_ranges'.*the nearest is 'found/npu_mul_ranges'"):
        declaration.load("npu_mul_ranges")
    names = shipped.available()
    assert len(names) == len({name.rpartition("/")[2] for name in names})


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
        (changed(map={"x": RATE, "y": RATE, "theory": "sine_basn"}), "the nearest is 'sine_basin'"),
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
        ({RATE: {"low": -1.0, "high": 1.0}}, "learning_rate must be finite and not negative"),
        ({"model.init_args.optimizer": {"choices": ["adam", "adagrad"]}}, "adagrad"),
    ],
)
def test_a_value_that_the_experiment_refuses_is_refused_before_any_trial(parameters, message):
    with pytest.raises(ValueError, match="broken: ") as caught:
        declaration.parse("broken", changed(space=parameters, map={})).validate()
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_settings_of_a_class_without_a_parameter_do_not_have_it():
    networks = declaration.load("networks")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [networks.suggest(study.ask()) for _ in range(20)]
    assert {setting["model.class_path"] for setting in drawn} == {"MLP", "NALU", "NMU"}
    for setting in drawn:
        assert ("model.init_args.depth" in setting) == (setting["model.class_path"] == "MLP")


def test_a_configuration_of_another_class_is_one_that_fit_reads(tmp_path):
    networks = declaration.load("networks")
    setting = {"model.class_path": "NALU", RATE: 0.1}
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(networks.configuration(setting, [1, 2])))
    built = experiment(["--config", str(tmp_path / "best.yaml")])
    assert type(built.module).__name__ == "NALU"
    assert built.module.learning_rate.item() == 0.1


def test_tied_keys_get_the_same_value_and_an_interval_its_two_ends():
    axis = {"key": "model.init_args.init_low", "until": "model.init_args.init_high", "low": 0.0, "high": 3.0}
    spec = {
        "data.init_args.train_end": {"choices": [5, 10], "also": ["data.init_args.test_end"]},
        RATE: GOOD["space"][RATE],
    }
    parsed = declaration.parse("tied", changed(space=spec, map={"x": RATE, "y": axis}))
    assert parsed.axes["y"].cells(3)[1] == (1.5, {"model.init_args.init_low": 1.0, "model.init_args.init_high": 2.0})
    trial = optuna.trial.FixedTrial({"data.init_args.train_end": 10, RATE: 0.1})
    setting = parsed.suggest(trial)
    assert setting["data.init_args.test_end"] == setting["data.init_args.train_end"] == 10
    assert parsed.settings(trial.params) == setting
    assert (parsed.build(setting).data.train_end, parsed.build(setting).data.test_end) == (10, 10)
