"""Tables as configurations: cells, their merging and naming, and a table that is measured once."""

from pathlib import Path

import pytest
import yaml

from arith_lightning import architectures
from arith_lightning.benchmark import command
from arith_lightning.benchmark.table import COLUMNS, BenchmarkTable, load, named, read
from arith_lightning.config import experiment

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "configs" / "tables").glob("*.yaml"))
SMALL = {
    "experiment": {
        "seeds": 2,
        "settings": [
            {"interpolation": [1, 2], "extrapolation": [2, 6]},
            {"interpolation": [-2, -1], "extrapolation": [-6, -2]},
        ],
        "evaluate_every": 10,
        "data": {"class_path": "SingleModuleTask", "init_args": {"batch_size": 8}},
        "trainer": {"max_steps": 20},
    },
    "units": {"NMU": {"mul": {"learning_rate": 0.002}}, "NAU": {"add": {}, "sub": None}},
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def written(folder, **changes):
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_cell_of_every_table_is_a_valid_configuration(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = BenchmarkTable(path)
    found.prepare(found.cells)
    assert found.cells
    for cell in found.cells[:: max(1, len(found.cells) - 1)]:
        built = experiment(cell.run.arguments())
        assert built.data.operation.name == cell.operation
        assert built.max_steps > 0


@pytest.mark.parametrize("path", [p for p in TABLES if "one_unit" not in p.stem], ids=lambda path: path.stem)
def test_a_line_of_units_is_a_row_of_every_table(path):
    """Whoever adds a unit adds its export and one line of units.yaml (one_unit and its like are about a single one)."""
    table = BenchmarkTable(path)
    listed = {
        (unit, operation)
        for unit, operations in load(path.parent / "pieces" / "units.yaml").items()
        for operation in operations
        if operation in table.operations
    }
    assert listed
    assert listed <= {(cell.unit, cell.operation) for cell in table.cells}
    assert {unit for unit, _ in listed} <= {*architectures.__all__}


def test_a_cell_is_the_experiment_with_its_unit_operation_and_changes(table):
    first, second, third = BenchmarkTable(table).cells
    assert (first.unit, first.operation) == ("NMU", "mul")
    assert first.config["model"] == {"class_path": "NMU", "init_args": {"learning_rate": 0.002}}
    assert first.config["data"]["init_args"] == {"batch_size": 8, "operation": "mul"}
    assert second.config["model"] == third.config["model"] == {"class_path": "NAU", "init_args": {}}
    assert third.config["data"]["init_args"]["operation"] == "sub"


def test_an_experiment_may_be_a_file_and_what_is_changed_in_it(table):
    (table.parent / "base.yaml").write_text(yaml.safe_dump(SMALL["experiment"]))
    changed = [
        "base.yaml",
        {"data": {"init_args": {"in_features": 10}}, "trainer": {"max_steps": 7}, "settings": [{"learning_rate": 0.1}]},
    ]
    config = BenchmarkTable(written(table.parent, experiment=changed)).cells[0].config
    assert config["data"]["init_args"] == {"batch_size": 8, "in_features": 10, "operation": "mul"}
    assert (config["seeds"], config["trainer"]["max_steps"]) == (2, 7)
    assert config["settings"] == [{"learning_rate": 0.1}]


def test_a_cell_may_have_ranges_of_its_own(table):
    changes = {"learning_rate": 0.1, "data": {"batch_size": 4, "interpolation": [0, 1]}}
    (cell,) = BenchmarkTable(written(table.parent, units={"NMU": {"mul": changes}})).cells
    assert cell.config["model"]["init_args"] == {"learning_rate": 0.1}
    assert cell.config["data"]["init_args"] == {"batch_size": 4, "operation": "mul", "interpolation": [0, 1]}


def test_a_unit_may_have_a_model_of_its_own(table):
    variant = {"NMU high": {"mul": {"model": {"class_path": "NMU"}, "init_center": 0.9}}}
    (cell,) = BenchmarkTable(written(table.parent, units=variant)).cells
    assert cell.config["model"] == {"class_path": "NMU", "init_args": {"init_center": 0.9}}
    assert cell.run.config == "small_NMU_high_mul"


def test_every_pair_has_a_cell_in_every_variant_of_the_experiment(table):
    exponential = {"distribution": "exponential", "interpolation_shape": [1.0], "extrapolation_shape": [0.5]}
    variants = {"uniform": {}, "exponential": {"data": {"init_args": exponential}, "settings": [{}]}}
    found = BenchmarkTable(written(table.parent, units={"NMU": {"mul": {}}}, variants=variants))
    first, second = found.cells
    assert [cell.run.config for cell in found.cells] == ["small_NMU_mul_uniform", "small_NMU_mul_exponential"]
    assert (first.config["data"]["init_args"], len(first.config["settings"])) == (
        {"batch_size": 8, "operation": "mul"},
        2,
    )
    assert second.config["data"]["init_args"] == {"batch_size": 8, "operation": "mul", **exponential}
    (table.parent / "variants.yaml").write_text(yaml.safe_dump(variants))
    of_a_file = BenchmarkTable(written(table.parent, units={"NMU": {"mul": {}}}, variants="variants.yaml"))
    assert {cell.run.config: cell.config for cell in of_a_file.cells} == {
        cell.run.config: cell.config for cell in found.cells
    }


def test_units_of_files_and_mappings_are_merged_and_operations_chosen(table):
    (table.parent / "units.yaml").write_text("NMU: {mul: {}, square: {}}\nNAU: {add: {}}\n")
    merged = BenchmarkTable(
        written(table.parent, units=["units.yaml", {"NMU": {"mul": {"seed": 3}}}], operations=["mul", "add"])
    )
    assert [(cell.unit, cell.operation) for cell in merged.cells] == [("NMU", "mul"), ("NAU", "add")]
    assert merged.cells[0].config["model"]["init_args"] == {"seed": 3}
    assert [cell.unit for cell in merged.chosen([], ["add"])] == ["NAU"]


def test_one_setting_of_one_unit_is_the_same_wherever_it_stands():
    folder = ROOT / "configs"
    four = yaml.safe_load((folder / "inalu_four_operations.yaml").read_text())["model"]["init_args"]
    tables = [BenchmarkTable(folder / "tables" / f"{name}.yaml") for name in ("one_unit", "one_unit_hard")]
    settings = [cell.config["model"]["init_args"] for table in tables for cell in table.cells if cell.unit == "iNALU"]
    assert len(settings) == 4 + 4 * 4
    assert all(setting == four for setting in settings)


def test_a_network_is_built_around_every_unit():
    model = {"class_path": "Stack", "init_args": {"layers": ["NAU", "UNIT"], "width": 2}}
    assert named(model, "NMU") == {"class_path": "Stack", "init_args": {"layers": ["NAU", "NMU"], "width": 2}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"unit": {}},
            "a table has the keys experiment, .*, published, units, variants.*got experiment, units, unit",
        ),
        ({"units": {"NMU": "mul"}}, "NMU, a unit with its operations, must be a mapping; got text .mul."),
        ({"units": "none.yaml"}, "none.yaml .No such file"),
        ({"operations": ["div"]}, r"asked each operation; got \['div'\]; known: \['add', 'mul', 'sub'\]"),
    ],
)
def test_what_is_not_a_table_is_refused(table, changes, message):
    with pytest.raises(ValueError, match=message):
        BenchmarkTable(written(table.parent, **changes))


def test_an_unknown_unit_is_refused_with_the_known_ones(table, capsys):
    assert command.main(["--config", str(table), "--units", "NMV"]) == 2
    assert "the table has no such unit; got NMV; known: ['NAU', 'NMU']" in capsys.readouterr().err


def test_a_cell_that_fit_would_refuse_is_told_by_name_and_leaves_nothing(table, capsys):
    written(table.parent, units={"NMU": {"mul": {"learning_rate": -1.0}}})
    assert command.main(["--config", str(table), "--workers", "1"]) == 2
    assert "small_NMU_mul: learning_rate must be finite and not negative; got -1.0" in capsys.readouterr().err
    assert not Path("logs").exists()


def test_a_table_is_measured_once_cell_by_cell(table, capsys, monkeypatch):
    assert command.main(["--config", str(table), "--operations", "mul"]) == 0
    path = Path("logs/benchmark/small/runs.csv")
    first = read(path)
    assert tuple(first[0]) == COLUMNS
    assert [(row["architecture"], row["interpolation"], row["seed"]) for row in first] == [
        ("NMU", "[1, 2]", "0"),
        ("NMU", "[1, 2]", "1"),
        ("NMU", "[-2, -1]", "0"),
        ("NMU", "[-2, -1]", "1"),
    ]
    assert first[0]["extrapolation_mse"] != first[2]["extrapolation_mse"]
    assert command.main(["--config", str(table), "--operations", "add"]) == 0
    assert [row["operation"] for row in read(path)] == ["mul"] * 4 + ["add"] * 4
    monkeypatch.setattr("arith_lightning.trained.train", None)  # from here on, training would fail
    assert command.main(["--config", str(table), "--operations", "mul", "add"]) == 0
    assert read(path)[:4] == first
    assert "runs.csv" in capsys.readouterr().out
