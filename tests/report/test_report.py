"""The report: its commands are valid, it trains what is missing once, and its page stands alone."""

import dataclasses
import json
import re
from pathlib import Path
from string import Formatter

import pytest

from arith_lightning import shipped, trained
from arith_lightning.config import experiment
from arith_lightning.report import command, page, template
from arith_lightning.report.system import OF_RUN, System, folded
from arith_lightning.report.systems import SYSTEMS
from arith_lightning.trained import QUICK_SEEDS, Run, Trained

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
    assert {space for space in system.maps} <= {*shipped.available()}


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


def test_a_failing_run_is_told_with_its_command(project, capsys, monkeypatch):
    runs = {"x": Run("nac_add", ("--ckpt_path=nowhere",))}
    broken = System("S4", "title", "posted", runs, "")
    monkeypatch.setattr(command, "SYSTEMS", (broken,))
    assert command.main(["systems", "--workers", "1"]) == 2
    assert "python -m arith_lightning.fit --config configs/nac_add.yaml" in capsys.readouterr().err


def told(folder, successes, criterion, threshold, **more):
    """A finished run whose summary says this."""
    spread = {"best": 0.1, "median": 0.2, "worst": None}
    summary = {"successes": successes, "n": 4, "criterion": criterion, "threshold": threshold, "error": spread}
    summary |= {"solved_at_step_median": 1200.0 if successes else None} | more
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(summary))
    return Trained(Run("nmu_mul"), folder, None)


def test_every_row_of_a_table_has_its_own_criterion_and_its_main_finding(tmp_path):
    system = System("S1", "title", "posted", {}, "why")
    found = [{"finding": "stuck", "members": 1, "of": 4}, {"finding": "diverged", "members": 3, "of": 4}]
    results = {
        "first": told(tmp_path / "1", 4, "share of wrong rows", 0.01),
        "second": told(tmp_path / "2", 0, "MSE", 5e-7, diagnoses=found),
        "older": told(tmp_path / "4", 0, "MSE", 5e-7),
        "a | b": told(tmp_path / "3", 4, "<script> | `", 0.01),
    }
    assert system.table(results).splitlines()[2:] == [
        "| first | 4/4 = 1.00 [0.51, 1.00] | share of wrong rows | 0.2 | 0.1 | 0.01 | 1,200 |  |",
        "| second | 0/4 = 0.00 [0.00, 0.49] | MSE | 0.2 | 0.1 | 5e-07 | never | diverged, 3 of 4 |",
        "| older | 0/4 = 0.00 [0.00, 0.49] | MSE | 0.2 | 0.1 | 5e-07 | never | not looked at |",
        r"| a \| b | 4/4 = 1.00 [0.51, 1.00] | &lt;script> \| \` | 0.2 | 0.1 | 0.01 | 1,200 |  |",
    ]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_the_page_of_the_systems_says_what_the_configurations_ask(system, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "systems" / "index.md").read_text()
    section = text.partition(f"## {system.key} {system.title}")[2].partition("\n## ")[0]
    assert system.posted in section
    rows = {cells[0]: cells for line in section.splitlines() if len(cells := line[2:-2].split(" | ")) == 8}
    assert list(rows)[2:] == list(system.runs)
    for label, run in system.runs.items():
        data = experiment(run.arguments()).data
        assert rows[label][2] == data.criterion.name
        assert rows[label][5] == f"{data.threshold(data.columns()).item():.3g}"
        assert run.command() in section


class Marked:
    """A fact that shows its name, whatever its format."""

    def __init__(self, name):
        self.name = name

    def __format__(self, spec):
        return f"<{self.name}>"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_every_field_of_a_page_names_a_fact_and_every_fact_of_its_own_is_named(system):
    facts = {name: lambda results, name=name: Marked(name) for name in system.facts}
    text = dataclasses.replace(system, facts=facts).reason({})
    parts = list(Formatter().parse(system.why))
    names = [name for _, name, _, _ in parts if name is not None]
    assert text == "".join(words + (f"<{name}>" if name is not None else "") for words, name, _, _ in parts)
    assert set(names) <= set(system.facts)
    assert {name.rpartition(".")[2] for name in system.facts} - set(OF_RUN) <= {n.rpartition(".")[2] for n in names}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_the_page_of_the_systems_has_the_text_of_the_templates_and_the_rates_of_its_tables(system):
    text = (ROOT / "docs" / "systems" / "index.md").read_text()
    section = text.partition(f"## {system.key} {system.title}")[2].partition("\n## ")[0]
    reason = section.partition("**Why, and what trains.** ")[2].partition("\n\n![")[0]
    parts = list(Formatter().parse(system.why))
    pattern = "".join(re.escape(words) + ("(.+?)" if name is not None else "") for words, name, _, _ in parts)
    found = re.fullmatch(pattern, reason)
    assert found
    told = zip([name for _, name, _, _ in parts if name is not None], found.groups(), strict=True)
    for label, rate in ((name.removesuffix(".rate"), value) for name, value in told if name.endswith(".rate")):
        assert f"\n| {label} | {rate} |" in section
    for caption in (*system.figures, *system.maps.values()):
        assert f"![{caption}" in section


@pytest.mark.parametrize(
    "text", ["{as postd.rate}", "{as posted.rat:.2f}", "{}", "{0}", "{as posted}", "{as posted.rate"]
)
def test_a_field_that_names_nothing_is_one_error_before_anything_is_trained(text, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    broken = dataclasses.replace(SYSTEMS[0], why=f"Words {text} words.")
    monkeypatch.setattr(command, "SYSTEMS", (broken,))
    assert command.main(["systems"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(("error: a field must name a fact of its page; got {", "error: a page's braces must hold"))
    assert list(tmp_path.iterdir()) == []


def test_a_field_is_filled_in_python_s_formats_by_a_name_with_dots_and_spaces():
    facts = {"rate 0.1, a (b).median": lambda: 0.125, "n": lambda: 4000}
    assert template.fill("{rate 0.1, a (b).median:.2%} of {n:,} in {{0, 1}}", facts) == "12.50% of 4,000 in {0, 1}"


def test_paragraphs_are_folded_and_tables_are_not():
    assert folded("a\nb {c\nd.rate}\n\n| x |\n|---|\n\ne\n") == "a b {c d.rate}\n\n| x |\n|---|\n\ne"


def test_a_map_that_is_missing_is_drawn_once(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    asked = []

    def draw(options):
        asked.append(options.space)
        folder = options.logs / options.space
        folder.mkdir(parents=True)
        (folder / "map.png").write_bytes(b"map")

    monkeypatch.setattr(command.atlas, "draw", draw)
    system = dataclasses.replace(SYSTEMS[8], figures={})
    for _ in range(2):
        options = command.parse(["systems", "--folder", str(tmp_path)])
        drawn = command.pictures(system, {}, options)
        assert (tmp_path / drawn[f"{system.maps['parity_start']} (python search/atlas.py parity_start)"]).read_bytes()
    assert asked == ["parity_start"]


def test_a_page_is_written_as_markdown_and_as_html_that_holds_its_pictures(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    page.publish("Title", "| a | b |\n|---|---|\n| 1 | 2 |\n\n![c](a.png)\n\n```sh\nx\n```", tmp_path)
    html = (tmp_path / "index.html").read_text()
    assert (tmp_path / "index.md").read_text().startswith("# Title")
    assert "<td>1</td>" in html
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in html
    assert "a.png" not in html


HOSTILE = {
    "<script>alert(1)</script>": "<script",
    "<img src=x onerror=alert(1)>": "<img",
    "[a](javascript:alert(1))": "javascript:",
    "[a](&#106;avascript:alert(1))": "avascript:",
    "[a](javascript&colon;alert(1))": 'href="javascript',
    "[a](javascript&#58;alert(1))": 'href="javascript',
    "[a](JaVaScRiPt:alert(1))": "aScRiPt:",
    "[a](data:text/html,x)": "data:text",
    "<javascript:alert(1)>": 'href="javascript',
    "[a]: javascript:alert(1)\n\n[a]": 'href="javascript',
}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_page_s_text_runs(text, tmp_path):
    page.publish("<b>&", text, tmp_path)
    html = (tmp_path / "index.html").read_text()
    assert "<title>&lt;b&gt;&amp;</title>" in html
    assert "&lt;b&gt;&amp;</h1>" in html
    assert HOSTILE[text] not in html


def test_links_to_the_web_and_to_files_nearby_pass(tmp_path):
    links = ["https://example.org/a?b=1", "http://example.org", "#heading", "../docs/a.md"]
    page.publish("Title", " ".join(f"[x]({link})" for link in links), tmp_path)
    assert re.findall('href="([^"]*)"', (tmp_path / "index.html").read_text()) == links


@pytest.mark.parametrize("name", ["../secret.png", "link.png", "missing.png", "note.txt", "https://example.org/a.png"])
def test_a_picture_from_elsewhere_is_refused(name, tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "note.txt").write_bytes(b"note")
    with pytest.raises(ValueError, match="a page's pictures must be PNG files in its folder; got"):
        page.publish("Title", f"![c]({name})", folder)


def test_a_name_in_a_table_stays_one_cell_and_has_no_markup():
    text = page.plain("a|b <i>x</i> `y`\nz [c](http://d) \\")
    assert text == r"a\|b &lt;i>x&lt;/i> \`y\` z [c\](http://d) \\"
    html = page.as_html(f"| n | m |\n|---|---|\n| {text} | 1 |", ROOT)
    assert re.findall("<td>(.*?)</td>", html) == ["a|b &lt;i&gt;x&lt;/i&gt; `y` z [c](http://d) \\", "1"]
