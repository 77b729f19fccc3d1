"""The report: its commands are valid, it trains what is missing once, and its page stands alone."""

import re
from pathlib import Path

import pytest

from arith_lightning import trained
from arith_lightning.config import experiment
from arith_lightning.report import __main__ as command
from arith_lightning.report import page
from arith_lightning.report.system import System
from arith_lightning.report.systems import SYSTEMS
from arith_lightning.trained import QUICK_SEEDS, Run, recall

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that has the configurations and nothing trained."""
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_nine_systems_in_order():
    assert [system.key for system in SYSTEMS] == [f"S{n}" for n in range(1, 10)]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_every_command_names_a_configuration_and_flags_that_exist(system, monkeypatch):
    monkeypatch.chdir(ROOT)
    for label, run in system.runs.items():
        assert experiment(run.arguments()).max_steps > 0, label
        assert run.command() == "python -m arith_lightning.fit " + run.command().partition("fit ")[2]
    assert {space for space in system.maps} <= {path.stem for path in (ROOT / "search" / "spaces").glob("*.yaml")}


def test_a_quick_report_trains_once_and_says_that_it_is_quick(project, monkeypatch):
    arguments = ["systems", "--quick", "--only", "S4", "--workers", "2"]
    assert command.main(arguments) == 0
    folder = project / "logs" / "report" / "systems_quick"
    text = (folder / "index.md").read_text()
    assert "its rates mean nothing" in text
    assert f"/{QUICK_SEEDS}" in text
    for run in SYSTEMS[3].runs.values():
        assert run.command() in text
    html = (folder / "index.html").read_text()
    assert len(re.findall(r'src="data:image/png;base64,', html)) == len(list(folder.glob("*.png"))) == 1

    def nothing_is_missing(missing, *_):
        raise AssertionError(missing)

    monkeypatch.setattr(trained, "train", nothing_is_missing)
    assert command.main(arguments) == 0


def test_a_changed_configuration_is_not_recalled(project):
    run = Run("nmu_mul", ("--seeds=2",))
    assert recall(run, quick=True) is None


def test_a_failing_run_is_told_with_its_command(project, capsys, monkeypatch):
    runs = {"x": Run("nac_add", ("--trainer.max_steps=-3",))}
    broken = System("S4", "title", "posted", runs, lambda results: "")
    monkeypatch.setattr(command, "SYSTEMS", (broken,))
    assert command.main(["systems", "--workers", "1"]) == 2
    assert "python -m arith_lightning.fit --config configs/nac_add.yaml" in capsys.readouterr().err


def test_a_page_is_written_as_markdown_and_as_html_that_holds_its_pictures(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    page.publish("Title", "| a | b |\n|---|---|\n| 1 | 2 |\n\n![c](a.png)\n\n```sh\nx\n```", tmp_path)
    html = (tmp_path / "index.html").read_text()
    assert (tmp_path / "index.md").read_text().startswith("# Title")
    assert "<td>1</td>" in html
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in html
    assert "a.png" not in html
