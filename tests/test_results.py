import json

import pytest
from rich.console import Console

from arith_lightning import results
from arith_lightning.architectures import MLP, NMU, SineParity
from arith_lightning.data import IntegerParity, SingleModuleTask
from arith_lightning.population import Population


@pytest.fixture
def solved(trainer):
    population = Population(NMU(learning_rate=0.05), SingleModuleTask(), seeds=range(4), evaluate_every=100)
    trainer(400).fit(population)
    return population


def test_rows_and_summary_tell_the_same(solved, tmp_path):
    results.write(solved, tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    table = results.rows(solved)
    assert sum(row["success"] for row in table) == summary["successes"] == 4
    assert [row["seed"] for row in table] == [0, 1, 2, 3]
    assert table[0]["extrapolation"] == "[2, 6]"
    assert summary["weights"]["weight"] == [[1.0, 1.0]]
    assert summary["predicted"] == summary["actual"]


def test_the_answer_comes_first(solved):
    console = Console(record=True, width=120)
    results.show(solved, console)
    assert console.export_text().strip().startswith("4 of 4 seeds solve it: 100%, 95 % interval 51% to 100%.")


@pytest.mark.parametrize(
    ("module", "data"),
    [
        (MLP(depth=1, width=4, learning_rate=1e38, optimizer="sgd"), SingleModuleTask()),
        (SineParity(), IntegerParity(1000, 1000)),
    ],
)
def test_a_failed_population_says_so_in_valid_json(module, data, trainer, tmp_path):
    population = Population(module, data, seeds=range(2), evaluate_every=5)
    trainer(10).fit(population)
    results.write(population, tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text())["successes"] == 0
    results.show(population, Console(quiet=True))
