"""The page on one's own network: everything in it is run, in its order; then what it promises is held to."""

import csv
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import arith_lightning as al
from arith_lightning import fit
from arith_lightning.answerer import Answerer
from arith_lightning.architectures import MLP, NAU
from arith_lightning.data import Formula
from arith_lightning.formulas import formula
from arith_lightning.population import Population
from tests.forked import Forked

pytestmark = pytest.mark.timeout(600)  # the page is run first
PAGE = Path(__file__).parents[1] / "docs" / "your-own.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
NAMED = re.compile(r"# ([\w.]+)\n")
X = torch.tensor([[1.5, 1.2], [1.0, 2.0]])


def done(arguments, folder):
    ended = Forked(arguments, folder).ended()
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The folder after everything, and what was printed by each block that is a command."""
    folder, printed = tmp_path_factory.mktemp("page"), {}
    for kind, text in BLOCKS:
        if name := NAMED.match(text):
            (folder / name[1]).write_text(text[name.end() :] if kind == "csv" else text)
        elif kind == "sh":
            for line in text.splitlines():
                assert line.startswith("python ")
                printed[line] = done(shlex.split(line)[1:], folder)
        elif kind == "python":
            if "onnx" in text and not onnx():
                continue
            printed[text] = done(["-c", text], folder)
    return folder, printed


def onnx():
    try:
        import onnx, onnxruntime, onnxscript  # noqa: E401, F401, I001
    except ImportError:
        return False
    return True


def test_each_command_of_the_page_is_answered(page):
    _, printed = page
    assert len(printed) >= 8
    answer = next(text for line, text in printed.items() if line.endswith("my.yaml"))
    assert "of 16 seeds solve it" in answer
    assert "has learnt" not in answer
    product = next(text for line, text in printed.items() if line.endswith("product.yaml"))
    assert "has learnt:\n  a * b = a * b\n  weights are" in product


def test_a_line_and_the_configuration_that_it_prints_are_the_same_run(page):
    folder, printed = page
    line = next(line for line in printed if "--data Formula" in line)
    command = shlex.split(line)[1:]
    (folder / "question.yaml").write_text(done([*command, "--print_config"], folder))
    done([*command[:2], "--config", "question.yaml"], folder)
    asked, read = (folder / "logs" / name / "version_0" / "runs.csv" for name in ("run", "question"))
    assert asked.read_bytes() == read.read_bytes()


def test_the_best_predicts_the_same_everywhere(page, monkeypatch):
    folder, printed = page
    monkeypatch.chdir(folder)
    run = al.load("logs/my/version_0")
    assert al.load("logs/my").folder == run.folder
    best = run.best(X)
    said = next(text for line, text in printed.items() if line.endswith("1.5,1.2 1,2"))
    rows = list(csv.reader(io.StringIO(said)))
    assert rows[0] == ["a", "b", "a * b"]
    asked = torch.tensor([[float(row[-1])] for row in rows[1:]])
    close = {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(asked, best, **close)
    torch.testing.assert_close(torch.export.load("best.pt2").module()(X), best, **close)
    torch.testing.assert_close(torch.jit.load("best.pt")(X), best, **close)
    index = next(k for k, row in enumerate(run.table) if row["seed"] == run.summary["best_seed"])
    torch.testing.assert_close(run.population.predict(X)[index], best, **close)
    if onnx():
        import onnxruntime

        session = onnxruntime.InferenceSession("best.onnx")
        for x in (X, torch.cat([X, X])):
            (y,) = session.run(None, {"x": x.numpy()})
            torch.testing.assert_close(torch.from_numpy(y), run.best(x), **close)
    member = next(text for line, text in printed.items() if line.endswith("--member 3"))
    asked = torch.tensor([[float(row[-1])] for row in list(csv.reader(io.StringIO(member)))[1:]])
    torch.testing.assert_close(asked, run.member(3)(X), **close)
    assert run.formula == []


def test_a_runs_own_configuration_is_taken_again_and_a_class_is_found_without_the_folder_in_the_path(page):
    folder, _ = page
    own = "logs/my/version_0/config.yaml"
    command = ["-m", "arith_lightning.fit", "--config", own, "--trainer.max_steps=2"]
    assert "logs/my/version_1" in done(command, folder).replace("\n", "")
    code = "from arith_lightning.config import experiment; print(experiment(['--config', 'my.yaml']).module)"
    assert "MyNet" in done(["-P", "-c", code], folder)


def test_a_search_varies_an_argument_of_the_network(page, monkeypatch):
    from arith_lightning.search import parse
    from arith_lightning.search.training import Batch

    folder, _ = page
    monkeypatch.chdir(folder)
    key = "model.init_args.network.init_args.width"
    content = {
        "base": str(folder / "my.yaml"),
        "steps": 3,
        "seeds": 2,
        "trials": 2,
        "space": {key: {"choices": [2, 4]}},
    }
    space = parse("mine", content | {"fixed": {"evaluate_every": 3}})
    results = Batch(space, False).train([{key: 2}, {key: 4}], [0, 1])
    assert len(results) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "predict needs a run; got none"),
        (["nowhere", "1,2"], "a run must be a folder with its config.yaml and checkpoint; got nowhere"),
        (["logs/my"], "predict needs an example; got none; give a,b, or --file rows.csv"),
        (["logs/my", "1"], "an example must be 2 numbers, a, b; got 1; write them without spaces"),
        (["logs/my", "1,x"], "an example must be 2 numbers"),
        (["logs/my", "1,2", "--member", "99"], "a member must be one of 0 to 15; got 99"),
        (["logs/my", "--file", "none.csv"], "path must be a file"),
        (["logs/my", "--file", "other.csv"], "the file must have the columns a, b; got u, v, w"),
    ],
)
def test_what_cannot_be_predicted_is_said_in_one_line(page, monkeypatch, capsys, arguments, told):
    folder, _ = page
    monkeypatch.chdir(folder)
    (folder / "other.csv").write_text("u,v,w\n1,2,3\n")
    monkeypatch.setattr(sys, "argv", ["fit", "predict", *arguments])
    assert fit.main() == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_encodings_and_scalings_go_with_the_module(trainer):
    data = Formula(
        "1000 * n + m",
        variables={"n": [0, 7], "m": [0.0, 500.0]},
        integers=["n"],
        encode={"n": "bits(3)"},
        scale_inputs="standard",
        scale_targets="standard",
    )
    population = Population(MLP(4, 1, depth=1, width=8, learning_rate=0.01), data, seeds=[0, 1], evaluate_every=300)
    trainer(600).fit(population)
    x = torch.tensor([[3.0, 100.0], [6.0, 400.0], [0.0, 0.0]])
    best = Answerer(population.member(0), data)
    torch.testing.assert_close(best(x), torch.tensor([[3100.0], [6400.0], [0.0]]), rtol=0.1, atol=400)
    torch.testing.assert_close(population.predict(x)[0], best(x))
    exported = torch.export.export(best, (x,), dynamic_shapes=({0: torch.export.Dim("n", min=1)},)).module()
    torch.testing.assert_close(exported(x[:2]), best(x[:2]))
    with pytest.raises(ValueError, match=r"n as bits\(3\) must be integers from 0 to 7; got 9"):
        best.ask(torch.tensor([[9.0, 1.0]]))
    with pytest.raises(ValueError, match="a row for each example and 2 columns; got the shape"):
        population.predict(torch.zeros(3, 4))
    assert formula(population, 0) == []


def test_a_formula_of_scaled_columns_is_told_in_their_units(trainer):
    data = Formula("2 * a + 3", variables={"a": [0.0, 10.0]}, scale_inputs="range", scale_targets="standard")
    module = NAU(1, 1, learning_rate=0.05, penalty_weight=0.0)
    population = Population(module, data, seeds=[0], evaluate_every=100)
    trainer(200).fit(population)
    first, second, last = formula(population, 0)
    assert re.fullmatch(r"z1 = .*\(a - [\d.]+\) / [\d.]+\)?", first)
    assert re.fullmatch(r"2 \* a \+ 3 = [\d.]+ z1 \+ [\d.]+", second)
    assert "from whole numbers" in last


def test_a_population_is_loaded_from_its_checkpoint_if_told_what_it_is(page, monkeypatch):
    folder, _ = page
    path = folder / "logs/product/version_0/checkpoints/last.ckpt"
    with pytest.raises(ValueError, match=r"a checkpoint holds numbers, .* no module, data; .*arith_lightning.load"):
        Population.load_from_checkpoint(path)
    monkeypatch.chdir(folder)
    own = al.load("logs/product").population
    again = Population.load_from_checkpoint(path, module=own.module, data=own.data, seeds=range(4))
    assert torch.equal(again.record.parameters, own.record.parameters)


def test_importing_the_package_imports_nothing_else_and_names_what_it_has():
    code = "import sys, arith_lightning as al; assert 'torch' not in sys.modules; print(*dir(al))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {*al.__all__} <= {*fresh.stdout.split()}
    assert al.fit is fit
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        al.nothing  # noqa: B018
