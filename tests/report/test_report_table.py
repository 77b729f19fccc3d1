"""A table from runs: counts, medians, published values inside or outside, and its four files."""

import csv
import dataclasses
import math
import re
from pathlib import Path

import pytest

from arith_lightning.benchmark.table import COLUMNS, BenchmarkTable
from arith_lightning.evaluation import Rate
from arith_lightning.report import command
from arith_lightning.report.heatmap import figure
from arith_lightning.report.lines import ALL, lines
from arith_lightning.report.table import as_csv, as_latex, as_markdown, from_csv

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "docs" / "tables").glob("*.csv"))
CONFIG = """
experiment: {seeds: 4, data: {class_path: SingleModuleTask}, trainer: {max_steps: 10}}
units: {NMU: {mul: {}}, NAU: {add: {}}}
published: published.csv
"""
PUBLISHED = """unit,operation,interpolation,rate,n,source
NMU,mul,"[1, 2]",0.98,100,a paper
NMU,mul,"[-2, -1]",0.98,100,a paper
NMU,mul,all,0.6,200,a paper
"""


def row(unit, operation, interval, seed, success, step=None, sparsity=0.25):
    error = 0.1 * (seed + 1) if success else math.nan
    values = (unit, operation, 2, interval, "[2, 6]", seed, 1e-5, success, step, sparsity, 1.0, 1.0, error, not success)
    return dict(zip(COLUMNS, values, strict=True))


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(CONFIG)
    (tmp_path / "published.csv").write_text(PUBLISHED)
    found = BenchmarkTable(tmp_path / "one.yaml")
    rows = [row("NMU", "mul", "[1, 2]", seed, True, 1000 * (seed + 1)) for seed in range(4)]
    rows += [row("NMU", "mul", "[-2, -1]", seed, seed == 0, 9000 if seed == 0 else None) for seed in range(4)]
    rows += [row("NAU", "add", "[1, 2]", seed, False) for seed in range(4)]
    rows[0]["sparsity_error"] = "nan"  # a network without weights that act on inputs
    measured(found, rows)
    return found


def measured(table, rows):
    table.folder.mkdir(parents=True)
    with (table.folder / "runs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_lines_count_runs_by_range_and_altogether(table):
    nau, first, second, every = lines(table)
    assert (nau.unit, nau.rate, nau.solved_at_step, nau.sparsity_error) == ("NAU", (0, 4), None, None)
    assert (first.interpolation, first.rate, first.solved_at_step) == ("[1, 2]", (4, 4), 2500)
    assert (second.rate, second.solved_at_step, second.diverged) == ((1, 4), 9000, 3)
    assert (every.interpolation, every.rate, every.solved_at_step, every.sparsity_error) == (ALL, (5, 8), 3000, 0.25)


def test_a_published_rate_is_inside_the_interval_or_not(table):
    nau, first, second, every = lines(table)
    assert nau.inside is None
    assert first.inside  # 4/4: [0.51, 1]
    assert second.inside is False  # 1/4: [0.05, 0.70]
    assert every.inside


def test_a_published_rate_agrees_with_the_measured_one_or_not(table):
    nau, first, second, every = lines(table)
    assert nau.agrees is None
    assert first.agrees  # 4/4 [0.51, 1.00] and 98/100 [0.93, 0.99]
    assert second.agrees is False  # 1/4 [0.05, 0.70]: the difference of 0.73 is at least 0.28
    assert every.agrees


def test_a_published_median_error_stands_beside_the_measured_one(table, tmp_path):
    (tmp_path / "published.csv").write_text(
        'unit,operation,interpolation,error,n,source\nNMU,mul,"[1, 2]",2.7e-7,10,a paper\n'
    )
    nau, first, second, _ = lines(table)
    assert (nau.error, second.error) == (math.inf, math.inf)
    assert (first.error, first.published.error, first.agrees) == (pytest.approx(0.25), 2.7e-7, None)
    text = as_markdown("one", lines(table), "")
    assert "| 2.5e-01 | 0.25 | median error 2.7e-07, n = 10 (a paper) |  |  |" in text


def test_found_settings_are_a_column_once_they_are_measured(table, tmp_path):
    (tmp_path / "two.yaml").write_text(CONFIG)
    (tmp_path / "one.yaml").write_text(CONFIG + "found: two.yaml\n")
    both = BenchmarkTable(tmp_path / "one.yaml")
    assert [x.found for x in lines(both)] == [None] * 4
    assert "found settings" not in as_markdown("one", lines(both), "")
    rows = [row("NMU", "mul", interval, seed, True, 1000) for interval in ("[1, 2]", "[-2, -1]") for seed in range(3)]
    measured(both.found, rows)
    nau, first, _, every = lines(both)
    assert (nau.found, first.found, every.found) == (None, (3, 3), (6, 6))
    text = as_markdown("one", lines(both), "")
    assert "| NMU | mul | 4/4 | 1/4 | 5/8 | 6/6 |" in text
    assert "| 3/3 = 1.00 [0.43, 1.00] |" in text


def test_the_command_writes_four_files_that_agree(table, tmp_path, capsys):
    assert command.main(["table", "--config", "one.yaml", "--folder", "out", "--note", "On a machine."]) == 0
    assert capsys.readouterr().out.split() == [f"out/one.{ending}" for ending in ("md", "csv", "tex", "png")]
    text = (tmp_path / "out" / "one.md").read_text()
    assert "--config one.yaml`. On a machine." in text
    assert "| NMU | mul | 4/4 | 1/4 | 5/8 |" in text
    assert "| 0.98, n = 100 (a paper) | **no** | **no** |" in text
    rows = list(csv.DictReader((tmp_path / "out" / "one.csv").open()))
    assert [(r["successes"], r["n"], r["inside"]) for r in rows] == [
        ("0", "4", ""),
        ("4", "4", "True"),
        ("1", "4", "False"),
        ("5", "8", "True"),
    ]


def test_latex_holds_every_cell_and_nothing_that_latex_would_read_otherwise(table):
    text = as_latex(lines(table))
    assert text.count(r"\\") == 1 + 4
    assert r"\textbf{no}" in text
    assert "{[1, 2]}" in text  # a bracket after \\ would be taken for its argument


def test_the_picture_writes_every_rate_into_its_cell(table):
    add, mul = figure(lines(table)).axes[:2]
    assert [text.get_text() for text in add.texts] == ["0.00"]
    assert [(text.get_text(), text.get_position()) for text in mul.texts] == [
        ("1.00", (0.5, 0.5)),
        ("0.25", (1.5, 0.5)),
    ]
    assert [label.get_text() for label in mul.get_xticklabels()] == ["[1, 2]", "[-2, -1]"]


def test_a_table_without_runs_names_the_command_that_makes_them(table, capsys):
    (table.folder / "runs.csv").unlink()
    assert command.main(["table", "--config", "one.yaml"]) == 2
    assert "run python -m arith_lightning.benchmark first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "sparsity", "texts"),
    [
        (750, 3.4e-11, ("750", "3.4e-11")),  # below the ends of the colors
        (2_494_500, 0.0, ("2,494,500", "0")),
        (3e7, 4.0, ("30,000,000", "4.0e+00")),  # above them
        (1000, None, ("1,000", "none")),
    ],
)
def test_the_picture_prints_what_the_table_holds_whatever_its_colors(table, steps, sparsity, texts):
    nau, first, *_ = lines(table)
    axes = figure([nau, dataclasses.replace(first, solved_at_step=steps, sparsity_error=sparsity)]).axes
    assert tuple(panel.texts[0].get_text() for panel in axes[3::2]) == texts
    assert [panel.texts[0].get_text() for panel in axes[2::2]] == ["not\nsolved"] * 2


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_page_and_its_picture_are_those_of_its_csv(path):
    found, page = from_csv(path), path.with_suffix(".md").read_text()
    assert as_csv(found) == path.read_bytes().decode().replace("\r\n", "\n").replace("\n", "\r\n")
    assert as_markdown(path.stem, found, page.split("\n\n")[1]) == page
    assert as_latex(found) == path.with_suffix(".tex").read_text()
    rows = [row for row in csv.DictReader(path.open()) if row["interpolation"] != ALL]
    operations = list(dict.fromkeys(row["operation"] for row in rows))
    cells = [texts(panel) for panel in figure(found).axes]
    for row in rows:
        column = operations.index(row["operation"])
        written = [panel[row["unit"], row["interpolation"]] for panel in cells[column :: len(operations)]]
        assert written[0] == f"{int(row['successes']) / int(row['n']):.2f}"
        if row["successes"] == "0":
            assert written[1:] == ["not\nsolved"] * 2
        else:
            assert written[1] == f"{float(row['solved_at_step']):,.0f}"
            sparsity = float(row["sparsity_error"] or "nan")
            assert written[2] == ("none" if math.isnan(sparsity) else f"{sparsity:.1e}" if sparsity else "0")


def texts(panel):
    """What is written into a panel's cells by unit and range."""
    ranges, units = ([label.get_text() for label in axis.get_ticklabels()] for axis in (panel.xaxis, panel.yaxis))
    places = [(text.get_text(), *text.get_position()) for text in panel.texts]
    return {(units[int(y)], ranges[int(x)]): text for text, x, y in places}


def test_tables_are_redrawn_from_their_csv_files_with_the_note_of_the_page(table, tmp_path, capsys):
    assert command.main(["table", "--config", "one.yaml", "--folder", "out", "--note", "On a machine."]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for name in ("one.png", "one.tex"):
        (tmp_path / "out" / name).unlink()
    assert command.main(["redraw", "out/one.csv"]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert command.main(["redraw", "one.yaml"]) == 2
    assert "a table is redrawn from its CSV file beside its page; got one.yaml" in capsys.readouterr().err


def test_names_are_text_in_every_format(table):
    hostile = dataclasses.replace(lines(table)[0], unit="a|b\n<script>`x`\\input{y}")
    text = as_markdown("one", [hostile], "")
    assert text.count(r"| a\|b &lt;script>\`x\`\\input{y} | add |") == 2
    assert r"a|b \textless{}script\textgreater{}`x`\textbackslash{}input\{y\} & add" in as_latex([hostile])


INTERVAL = re.compile(r"(\d[\d,]*)/(\d[\d,]*)(?: = ([01]\.\d+))? \[([01]\.\d+), ([01]\.\d+)\]")


def test_every_interval_in_the_texts_is_the_one_that_is_printed():
    seen = 0
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "configs").rglob("*.yaml")):
        for match in INTERVAL.finditer(path.read_text()):
            rate = Rate(*(int(number.replace(",", "")) for number in match.groups()[:2]))
            assert match.groups()[3:] == rate.ends(), f"{path.name}: {match[0]}"
            assert match[3] in (None, f"{rate.value:.2f}"), f"{path.name}: {match[0]}"
            seen += 1
    assert seen > 2000
