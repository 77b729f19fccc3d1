import pytest

from arith_lightning.architectures import NMU
from arith_lightning.commandline import listed
from arith_lightning.config import experiment

BASE = ["--config", "configs/nmu_mul.yaml"]


def test_an_experiment_is_what_the_file_says():
    built = experiment([*BASE, "--model.init_args.learning_rate=0.5", "--data.init_args.in_features=7"])
    assert isinstance(built.module, NMU)
    assert built.module.learning_rate.item() == 0.5
    assert built.module.network.in_features == built.data.in_features == 7
    assert (built.max_steps, built.config["seeds"]) == (50_000, 25)


def test_files_stack(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("seeds: 3\nmodel:\n  init_args:\n    learning_rate: 0.25\n")
    built = experiment([*BASE, "--config", str(overlay)])
    assert (built.config["seeds"], built.module.learning_rate.item()) == (3, 0.25)
    assert built.module.penalty_weight.item() == 10


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--model.init_args.lerning_rate=1", "unknown key .*; the nearest is 'model.init_args.learning_rate'"),
        ("--trainer.max_step=3", "unknown key 'trainer.max_step'; the nearest is 'trainer.max_steps'"),
        ("--seed=3", "the nearest is 'seeds'"),
        ("--model=NALUU", "unknown class 'NALUU'; the nearest is 'NALU'; expected one of"),
        ("--model.init_args.learning_rate=abc", "Got value: abc"),
        ("--model.init_args.learning_rate=-1", "^learning_rate must be finite and not negative; got -1.0; try 1e-3$"),
        ("--data.init_args.operation=modulo", "^unknown operation 'modulo'; expected one of add"),
        ("--config=nothere.yaml", "must be a file that can be read; got nothere.yaml"),
    ],
)
def test_a_wrong_argument_gets_a_short_message(argument, message):
    with pytest.raises(ValueError, match=message) as caught:
        experiment([*BASE, argument])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["--model.widths", "8,4"], ["--model.widths", "[8,4]"]),
        (["--seeds=3,5", "--data.inputs=a.b,c"], ["--seeds=[3,5]", "--data.inputs=[a.b,c]"]),
        (
            ["--data.path", "a,b.csv", "--data.test_path=c,d.csv"],
            ["--data.path", "a,b.csv", "--data.test_path=c,d.csv"],
        ),
        (["--config", "a,b.yaml", "--config=c,d.yaml"], ["--config", "a,b.yaml", "--config=c,d.yaml"]),
        (["--data.formula=max(a,b)", "--data.separator", ","], ["--data.formula=max(a,b)", "--data.separator", ","]),
        (["fit", "--seeds", "[1,2]"], ["fit", "--seeds", "[1,2]"]),
    ],
)
def test_a_value_is_a_list_by_its_commas_unless_its_key_has_a_text(given, read):
    assert listed(given) == read


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data=Formula", "--model=MLP", "--model.widths", "16"], r"^widths must be a list; got 16; write \[16\]$"),
        (["--data=Formula", "--model=MLP", "--model.widths=1,x"], 'Parser key "widths": .*Got value: x'),
        (
            ["--model=DeepSets", "--data=NumberSets", "--data.numbers=3"],
            r"^numbers must be a list; got 3; write \[3\]$",
        ),
        (["--config=one.yaml"], r"^widths must be a list; got 16; write \[16\]$"),
    ],
)
def test_one_value_in_place_of_a_list_is_shown_as_one(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(
        "model: {class_path: MLP, init_args: {widths: 16}}\ndata: {class_path: Formula}\n"
    )
    with pytest.raises(ValueError, match=told):
        experiment(arguments)


def test_lists_need_no_brackets():
    variables = ["--data.variables.a=0,1", "--data.variables.b", "-1.5,2e3", "--data.variables.c=[0,2]"]
    model = ["--model=MLP", "--model.widths", "8,4"]
    built = experiment(["--data=Formula", "--data.formula=a*b+c", *variables, *model, "--seeds=3,5"])
    assert built.config["data"]["init_args"]["variables"] == {"a": [0, 1], "b": [-1.5, 2e3], "c": [0, 2]}
    assert built.config["data"]["init_args"]["formula"] == "a*b+c"
    assert (built.config["model"]["init_args"]["widths"], built.config["seeds"]) == ([8, 4], [3, 5])
