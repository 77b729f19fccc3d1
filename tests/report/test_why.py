"""The page of findings: each has two runs, the first of which shows it, and the commands that are printed are these."""

import shlex
from pathlib import Path

import pytest
from rich.console import Console

from arith_lightning import reading
from arith_lightning.config import experiment
from arith_lightning.diagnosis import ORDER
from arith_lightning.report import why

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_finding_has_its_example_and_there_are_no_others():
    assert reading.load(why.EXAMPLES, "the examples").keys() - {"all"} == {finding.name for finding in ORDER}


@pytest.mark.parametrize("finding", ORDER, ids=lambda finding: finding.name)
def test_both_commands_are_configurations_that_differ(finding):
    fails, mended = (experiment(shlex.split(why.arguments(finding.name, mended))) for mended in (False, True))
    assert fails.config["seeds"] == mended.config["seeds"] == 8
    parts = ("model", "data", "trainer")
    assert any(fails.config[part] != mended.config[part] for part in parts)


@pytest.mark.parametrize("name", ["linear network", "diverged", "targets out of range", "contradictory rows"])
def test_a_run_shows_its_finding_soon(name):
    example = why.train(f"{why.arguments(name, False)} --trainer.max_steps 200")
    assert [(each.finding.name, each.members) for each in example.doctor.found] == [(name, 8)]
    assert example.rate.successes == 0


def test_the_page_has_sentence_picture_and_commands(tmp_path, monkeypatch):
    [finding] = [each for each in ORDER if each.name == "linear network"]
    monkeypatch.setattr(why, "ORDER", (finding,))
    [page] = why.write(tmp_path, Console(quiet=True))
    text = page.read_text()
    assert (tmp_path / "why" / "linear_network.png").stat().st_size > 10_000
    assert "> 8 of 8 unsolved networks are linear maps of their inputs" in text
    assert "linear network: 0/8 = 0.00" in text
    assert f"python -m arith_lightning.fit {why.arguments(finding.name, False)}" in text
    assert "Minsky and Papert" in text
