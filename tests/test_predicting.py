"""A trained network is asked: on the command line and in Python, with the same answers."""

import sys

import pytest
import torch

from arith_lightning import fit
from arith_lightning.loaded import load


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a small finished run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(
        "seeds: 2\nevaluate_every: 20\ntrainer: {max_steps: 20}\nmodel: {class_path: MLP, init_args: {width: 8}}\n"
        "data: {class_path: Formula, init_args: {formula: a * b, variables: {a: [0, 9], b: [0, 9]}, "
        "criterion: r2, scale_targets: standard}}\n"
    )
    assert ask(monkeypatch, "fit", "--config", "own.yaml") == 0
    return tmp_path / "logs" / "own" / "version_0"


def ask(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["fit", *arguments])
    return fit.main()


def test_the_command_and_python_answer_the_same(run, monkeypatch, capsys):
    capsys.readouterr()
    assert ask(monkeypatch, "predict", str(run), "3,4", "-1,2") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "a,b,a * b"
    x = torch.tensor([[3.0, 4.0], [-1.0, 2.0]])
    found = load(run)
    with torch.no_grad():
        answers = found.best(x)
    printed = torch.tensor([float(line.split(",")[2]) for line in lines]).unsqueeze(1)
    torch.testing.assert_close(printed, answers, rtol=1e-4, atol=1e-5)
    one = load(run).population.predict(x)
    assert any(torch.allclose(answers, member, rtol=1e-5, atol=1e-6) for member in one)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["3"], "3"),
        ([], "predict needs an example"),
        (["3,x"], "x"),
        (["3,nan"], "others in b"),
        (["3,4", "--member", "7"], "7"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(run, monkeypatch, capsys, arguments, told):
    capsys.readouterr()
    assert ask(monkeypatch, "predict", str(run), *arguments) == 2
    written, errors = capsys.readouterr()
    assert not written
    said = errors.strip().splitlines()
    assert len(said) == 1
    assert told in said[0]
