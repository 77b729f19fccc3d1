import io
import json

import pytest
from rich.console import Console

from arith_lightning import baselines, results
from arith_lightning.architectures import MLP, NMU, SineParity
from arith_lightning.data import Formula, IntegerParity, OperandTask, SingleModuleTask, Table
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


def test_settings_train_side_by_side_and_are_told_one_by_one(trainer, tmp_path):
    settings = [
        {"interpolation": [1, 2], "extrapolation": [2, 6], "learning_rate": 0.0},
        {"interpolation": [-2, -1], "extrapolation": [[-6, -2], [2, 6]], "learning_rate": 0.05},
    ]
    population = Population(NMU(init_center=0.9, init_scale=0.1), SingleModuleTask(), range(3), settings, 100)
    trainer(400).fit(population)
    results.write(population, tmp_path)
    table, summary = results.rows(population), json.loads((tmp_path / "summary.json").read_text())
    assert [row["interpolation"] for row in table] == ["[1, 2]"] * 3 + ["[-2, -1]"] * 3
    assert [row["extrapolation"] for row in table] == ["[2, 6]"] * 3 + ["[-6, -2] or [2, 6]"] * 3
    assert [(s["setting"], s["successes"]) for s in summary["settings"]] == [(settings[0], 0), (settings[1], 3)]
    assert all(
        x[0] > -6 and abs(x[0]) > 2 for x in summary["inputs"]
    )  # those of the best member, of the second setting
    console = Console(record=True, width=150)
    results.show(population, console)
    text = console.export_text()
    assert "interpolation [1, 2], extrapolation [2, 6], learning_rate 0.0" in text
    assert text.strip().startswith("3 seeds x 2 settings: 3 of 6 runs solve it: 50%, 95 % interval 18% to 82%.")
    assert "solved: MSE below 1.202e-07)" in " ".join(text.split())


def test_thresholds_that_differ_are_told_from_the_lowest_to_the_highest(trainer):
    settings = [
        {"interpolation": [1, 2], "extrapolation": [2, 6]},
        {"interpolation": [10, 20], "extrapolation": [20, 40]},
    ]
    population = Population(NMU(), SingleModuleTask(), range(3), settings, 1)
    trainer(1).fit(population)
    low, high = population.threshold[0].item(), population.threshold[-1].item()
    assert low < high
    console = Console(record=True, width=150)
    results.show(population, console)
    text = console.export_text()
    assert f"solved: MSE below {low:.4g} to {high:.4g}, a threshold for each setting)" in " ".join(text.split())
    assert [line.split()[-2] for line in text.splitlines() if "interpolation [" in line] == [
        f"{low:.4g}",
        f"{high:.4g}",
    ]


def test_a_setting_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"interpolation must have the shape of the experiment's, \(1, 2\); got"):
        Population(NMU(), SingleModuleTask(), range(2), [{"interpolation": [[1, 2], [3, 4], [5, 6]]}])


def test_ranges_of_other_distributions_say_so():
    shapes = {"interpolation_shape": [0.8], "extrapolation_shape": [0.5]}
    data = OperandTask("add", [0, 20], [0, 9], distribution="exponential", **shapes)
    population = Population(NMU(), data, [0], [{}, {"interpolation_shape": [0.2]}])
    texts = [row["interpolation"] for row in results.rows(population)]
    assert texts == ["exponential(0.8) on [0, 20]", "exponential(0.2) on [0, 20]"]
    assert results.rows(population)[0]["extrapolation"] == "exponential(0.5) on [0, 9]"


def test_a_second_range_stands_behind_a_slash():
    data = OperandTask("div", [-2, -1], [-6, -2], second_interpolation=[1, 2], second_extrapolation=[2, 6])
    population = Population(NMU(), data, [0])
    assert results.rows(population)[0]["interpolation"] == "[-2, -1] / [1, 2]"
    assert results.rows(population)[0]["extrapolation"] == "[-6, -2] / [2, 6]"


def test_benfords_law_needs_no_shape():
    population = Population(NMU(), OperandTask("div", [10, 100], [100, 1000], distribution="benford"), [0])
    assert results.rows(population)[0]["interpolation"] == "benford on [10, 100]"


def written(folder, text):
    path = folder / "rows.csv"
    path.write_text(text)
    return str(path)


def test_scaled_rows_are_told_in_their_own_units_beside_a_constant_answer(tmp_path, trainer):
    path = written(tmp_path, "n,y\n" + "".join(f"{k},{1000 * k}\n" for k in range(5)))
    data = Table(path, scale_inputs="standard", scale_targets="standard", test_share=0)
    population = Population(MLP(1, 1, depth=0, learning_rate=0.05), data, range(2), evaluate_every=300, compile=False)
    trainer(600).fit(population)
    s = results.summary(population)
    assert s["baseline"] == {"answer": "the mean", "extrapolation_mse": 2e6, "interpolation_mse": 2e6, "error": 1.0}
    assert s["r2"]["worst"] == pytest.approx(1, abs=1e-4)
    assert s["inputs"] == [[k] for k in range(5)]
    assert s["actual"] == [[1000.0 * k] for k in range(5)]
    assert [p for (p,) in s["predicted"]] == pytest.approx([1000.0 * k for k in range(5)], abs=5)
    assert results.shown(0.99996, 6) == "0.99996"


def test_classes_have_an_accuracy_beside_that_of_the_commonest(tmp_path, trainer):
    path = written(tmp_path, "n,kind\n" + "".join(f"{k},{'small' if k < 6 else 'large'}\n" for k in range(8)))
    data = Table(path, scale_inputs="range", classes=True, test_share=0)
    module = MLP(1, 2, depth=0, head="softmax", loss="logits", learning_rate=0.1)
    population = Population(module, data, range(2), evaluate_every=500, compile=False)
    trainer(1000).fit(population)
    s = results.summary(population)
    assert (s["baseline"]["answer"], s["baseline"]["error"]) == ("the majority class", 0.25)
    assert s["accuracy"] == {"best": 1.0, "median": 1.0, "worst": 1.0}
    console = Console(record=True, width=120)
    results.show(population, console)
    shown = console.export_text()
    assert "always the majority class" in shown
    assert "would solve it, too" not in shown
    assert [line.split("│")[2:4] for line in shown.splitlines() if line.startswith("│ 7 ")] == [
        [" large  ", " large     "]
    ]


def test_a_constant_that_would_solve_it_is_told_and_failures_without_a_cause_are_counted(tmp_path, trainer):
    path = written(tmp_path, "n,kind\n" + "".join(f"{k},{'small' if k < 6 else 'large'}\n" for k in range(8)))
    data = Table(path, scale_inputs="range", classes=True, test_share=0, tolerance=0.3)
    population = Population(MLP(1, 2, depth=0, head="softmax", loss="logits"), data, range(2), evaluate_every=1)
    assert results.unexplained(population, []) == ""
    trainer(1).fit(population)
    console = Console(record=True, width=120)
    results.show(population, console)
    assert "Always answering the majority class would solve it, too" in console.export_text()
    population.record.error[:] = 1.0
    assert results.unexplained(population, []).startswith("2 of 2 unsolved networks: no cause was found; ")


def test_r2_is_of_each_setting_s_own_targets(trainer):
    settings = [{"extrapolation": [2, 6]}, {"extrapolation": [20, 60]}]
    population = Population(MLP(depth=0, learning_rate=0.0), SingleModuleTask(), range(2), settings, 1, compile=False)
    trainer(1).fit(population)
    name, values = baselines.worth(population)
    for k, value in enumerate(values.tolist()):
        _, y = population.examples(k, "extrapolation")
        assert value == pytest.approx(
            1 - population.record.extrapolation_mse[k].item() / y.double().var(correction=0).item()
        )
    assert name == "r2"


def test_each_of_several_outputs_is_told_by_name_with_an_error_of_its_own(trainer, tmp_path):
    data = Formula(formulas={"sum": "a + b", "difference": "a - b", "product": "a * b"}, criterion="r2")
    population = Population(MLP(2, 3, depth=1, width=8), data, seeds=[0, 1], evaluate_every=20)
    trainer(20).fit(population)
    index = results.best(population)
    x, y = population.examples(index, "extrapolation")
    errors = (population.member(index)(x.mT).mT - y).square().mean(1).tolist()
    told = results.summary(population)["outputs_mse"]
    assert told == pytest.approx(dict(zip(("sum", "difference", "product"), errors, strict=True)), rel=1e-4)
    console = Console(file=io.StringIO(), width=80)
    results.show(population, console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    for name, error in told.items():
        own = [line for line in lines if f"│ {name} " in line]
        assert len(own) == 4
        assert f"{error:.3g}" in own[0]
