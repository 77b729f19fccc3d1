"""A table from runs: counts, medians, published values inside or outside, and its four files."""

import csv
import math

import pytest

from arith_lightning.benchmark.table import COLUMNS, BenchmarkTable
from arith_lightning.report import __main__ as command
from arith_lightning.report.heatmap import figure
from arith_lightning.report.lines import ALL, lines
from arith_lightning.report.table import as_latex, as_markdown

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
    assert "| 3/3 = 1.00 [0.44, 1.00] |" in text


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
