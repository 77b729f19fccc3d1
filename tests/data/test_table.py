import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from arith_lightning.architectures import MLP
from arith_lightning.config import experiment
from arith_lightning.data import Table
from arith_lightning.population import Population
from arith_lightning.search.declaration import parse
from arith_lightning.search.training import JUDGED_ON, Batch
from arith_lightning.testing import DatasetContract


def written(folder, text, name="rows.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


def lines(count=20):
    return "n,m,y\n" + "".join(f"{k},{(7 * k) % 20},{3 * k + 1}\n" for k in range(count))


@pytest.fixture
def path(tmp_path):
    return written(tmp_path, lines())


class TestTable(DatasetContract):
    others = {
        "header": [False],
        "inputs": [["n"]],
        "targets": [["m"]],
        "test_where": ["n > 15"],
        "test_share": [0.5, 0.0],
        "encode": [{"n": "bits(5)"}],
        "classes": [True],
        "tolerance": [0.5],
        "batch_size": [4],
        "criterion": ["largest"],
        "scale_inputs": ["standard"],
        "scale_targets": ["standard"],
    }
    together = {"criterion": {"tolerance": 0.5}, "classes": {"targets": "k", "criterion": "wrong"}}
    # the first two say how a file is read, and `classes` needs other rows
    skip = {"header", "separator", "test_path"}

    @pytest.fixture
    def data(self, tmp_path):
        rows = "".join(f"{k},{(7 * k) % 20},{k // 10},{3 * k + 1}\n" for k in range(20))
        path = written(tmp_path, "n,m,k,y\n" + rows)
        return type("Built", (), {"__call__": staticmethod(lambda **given: Table(**{"path": path} | given))})()


def test_the_last_column_is_the_target_and_a_fifth_of_the_rows_the_test(path):
    data = Table(path)
    assert (data.in_features, data.out_features, data.batch_size, data.fixed) == (2, 1, 16, True)
    x, y = data.evaluation_set("extrapolation")
    assert x.shape == (2, 4)
    assert torch.equal(y[0], 3 * x[0] + 1)
    trained, _ = data.training_batch(0)
    assert {*trained[:, 0].tolist(), *x[0].tolist()} == set(range(20))


@pytest.mark.parametrize(
    ("given", "tested"),
    [
        ({"test_where": "n > 15 and m < 100"}, [16, 17, 18, 19]),
        ({"test_where": "n % 7 == 0"}, [0, 7, 14]),
        ({"test_share": 0}, list(range(20))),
    ],
)
def test_the_test_part_is_what_was_asked_for(path, given, tested):
    x, _ = Table(path, **given).evaluation_set("extrapolation")
    assert x[0].tolist() == tested


def test_a_second_file_is_the_test(path, tmp_path):
    other = written(tmp_path, "y,m,n\n1,2,3\n", "test.csv")
    x, y = Table(path, test_path=other, criterion="rounded").evaluation_set("extrapolation")
    assert (x.tolist(), y.tolist()) == ([[3.0], [2.0]], [[1.0]])


def test_columns_go_by_name_and_by_position(path):
    for inputs, targets in (("n", ["y", "m"]), (0, [2, "m"]), ([-3], [-1, 1])):
        data = Table(path, inputs=inputs, targets=targets, test_share=0)
        x, y = data.evaluation_set("extrapolation")
        assert x[:, 1].tolist() == [1.0]
        assert y[:, 1].tolist() == [4.0, 7.0]


@pytest.mark.parametrize(("first", "rows"), [("1,2\n", 4), ("a,b\n", 3), ("a,2\n", None)])
def test_a_first_line_without_a_number_has_the_names(tmp_path, first, rows):
    path = written(tmp_path, first + "3,4\n5,6\n7,9\n")
    if rows is None:
        with pytest.raises(ValueError, match=r"must be numbers; got 'a' in column c0, row 1"):
            Table(path, test_share=0)
    else:
        assert Table(path, test_share=0).batch_size == rows


def test_arrays_and_tabs_are_read_alike(tmp_path):
    rows = np.arange(12.0).reshape(6, 2) ** 2
    np.save(tmp_path / "a.npy", rows)
    np.savez(tmp_path / "a.npz", x=rows[:, :1], y=rows[:, 1])
    np.savetxt(tmp_path / "a.tsv", rows, delimiter="\t")
    np.savetxt(tmp_path / "a.csv", rows, delimiter=";")
    batches = [Table(str(tmp_path / f"a.{end}"), test_share=0).training_batch(0) for end in ("npy", "npz", "tsv")]
    batches.append(Table(str(tmp_path / "a.csv"), separator=";", test_share=0).training_batch(0))
    for x, y in batches:
        assert torch.equal(torch.cat([x, y], 1), torch.from_numpy(rows).float())


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("x,y\n1,2\n,3\n4,5\n", {}, "no value may be missing; got 1 in column x, the first in row 2"),
        ("x,y\n1,2\nred,3\n4,5\n", {}, "must be numbers; got 'red' in column x, row 2"),
        ("x,y\n1,2\ninf,3\n4,5\n", {}, "must be finite; got inf in column x, row 2"),
        ("x,y\n1,2\n", {}, "two rows at least"),
        ("x,y\n1,2\n", {"test_share": 0}, "two rows"),
        ("x,y\n", {}, "a file must have rows"),
        ("", {}, "a file must have rows"),
        ("x,z,y\n1,2,3\n1,3,4\n1,4,5\n", {"test_share": 0}, "inputs must vary among the training rows; got x;"),
        ("x,x,y\n1,2,3\n2,3,4\n", {}, "columns must have names of their own; got x;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"inputs": ["x", "y"]}, "a target must not be an input; got y;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"inputs": "z"}, "inputs must name columns: x, y; got z;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"targets": 2}, "targets must name columns: x, y; got 2;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"inputs": ["x", 0]}, "inputs must name a column once; got x;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_where": "x > 10"}, "3 and 0"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_where": "x > 0"}, "0 and 3"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_where": "w > 0"}, "test_where must name what there is: x, y; got w"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_where": "__import__('os')"}, "may call only"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_where": "x > 1", "test_share": 0.5}, "in one way"),
        ("x,y\n1,2\n2,3\n3,5\n", {"test_share": 0.01}, "3 and 0"),
        ("x;y\n1;2\n2;3\n3;5\n", {}, "cells must be parted by ','"),
        ("x,y\n1,2\n2,3\n3,5\n", {"criterion": "mse"}, "needs a tolerance"),
        ("x,y\n1,2\n2,2\n3,2\n", {"test_share": 0}, "R^2 needs tested targets that vary"),
        ("x,y\n1,2\n2,3\n3,5\n", {"encode": {"x": "bits(1)"}}, "integers from 0 to 1; got 2;"),
        ("x,y\n1,2\n2,3\n3,5\n", {"encode": {"z": "bits(1)"}}, "encode must name inputs: x; got z"),
        ("x,y\n1,2\n2,3\n3,5\n", {"encode": {"x": "bit(3)"}}, "encode of x must be one of bits"),
        ("x,y\n1,a\n2,a\n3,a\n", {"classes": True}, "from 2 to 1,000 classes; got 1;"),
        ("x,y\n1,2,3\n2,3,4\n3,5,6\n", {}, "as many cells as the first line; got 3 and 2;"),
        ("x,y\n1,2\n2,3,4\n3,5,6\n", {}, "a file that can be read; got rows.csv (Error tokenizing"),
    ],
)
def test_a_fault_is_one_clear_sentence(tmp_path, text, given, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as told:  # noqa: PT011
        Table(path, **given)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_told_by_its_whole_path():
    with pytest.raises(ValueError, match=r"path must be a file; got /.*nowhere\.csv"):
        Table("nowhere.csv")


def test_labels_are_one_of_many_and_the_largest_output_answers(tmp_path):
    path = written(tmp_path, "x,kind\n1,red\n2,blue\n3,red\n4,green\n")
    data = Table(path, classes=True, test_share=0)
    assert data.labels == ["blue", "green", "red"]
    _, y = data.evaluation_set("extrapolation")
    assert y.T.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert data.judge(y, y) == 0
    wrong = y.clone()
    wrong[:, 0] = torch.tensor([0.0, 1.0, 0.5])
    assert data.judge(wrong, y) == 0.25
    wrong[0, 1] = torch.nan
    assert data.judge(wrong, y) == 0.5
    assert data.threshold({}) == pytest.approx(0.01 + 0.5 / 4)


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_classes_train_from_logits_as_in_a_plain_trainer_whatever_becomes_of_others(tmp_path, trainer, head, double):
    path = written(tmp_path, "x,kind\n" + "".join(f"{k / 30},{'abc'[k // 10]}\n" for k in range(30)))
    data = Table(path, classes=True, test_share=0, tolerance=0.0)
    options = {"depth": 1, "width": 8, "head": head, "loss": "logits", "learning_rate": 0.05}
    settings = [{"learning_rate": 0.05}, {"learning_rate": 1e300}]
    population = Population(MLP(1, 3, **options), data, [0], settings, 300, compile=False)
    trainer(300, precision="64-true").fit(population)
    plain = MLP(1, 3, **options)
    trainer(300, limit_val_batches=0).fit(plain, data)
    x, _ = data.evaluation_set("extrapolation")
    with torch.no_grad():
        assert torch.allclose(population.predict(x.mT)[0], plain.eval()(x.mT))
    assert population.success.tolist() == [True, False]


def test_one_tested_row_of_words_is_enough(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("x,kind\n" + "".join(f"{k},{'yes' if k % 2 else 'no'}\n" for k in range(10)))
    assert Table(path=str(path), classes=True, test_share=0.1).tested_y.shape == (2, 1)


def test_integers_as_labels_are_ordered_by_size(tmp_path):
    path = written(tmp_path, "x,kind\n" + "".join(f"{k},{k % 11}\n" for k in range(33)))
    assert Table(path, classes=True, test_share=0).labels == [str(k) for k in range(11)]


def test_errors_and_predictions_of_scaled_columns_are_in_the_units_of_the_file(path, trainer):
    data = Table(path, inputs="n", scale_inputs="standard", scale_targets="range", test_where="n >= 18")
    x, y = data.training_batch(0)
    assert x.mean().item() == pytest.approx(0, abs=1e-6)
    assert x.std(correction=0).item() == pytest.approx(1)
    assert (y.min().item(), y.max().item()) == (-1.0, 1.0)
    _, tested = data.evaluation_set("extrapolation")
    assert tested.tolist() == [[55.0, 58.0]]
    population = Population(MLP(1, 1, depth=0, learning_rate=0.05), data, range(2), evaluate_every=300, compile=False)
    trainer(600).fit(population)
    assert population.success.all()
    answers = population.predict(data.given("extrapolation").mT)
    assert answers[0, :, 0].tolist() == pytest.approx([55, 58], rel=1e-3)
    measured = (answers - tested.mT).square().mean((1, 2))
    assert torch.allclose(measured.double(), population.record.extrapolation_mse, rtol=1e-3, atol=1e-9)


def test_a_plain_trainer_reports_the_units_of_the_file_too(path, trainer):
    data = Table(path, inputs="n", scale_inputs="standard", scale_targets="standard", test_share=0)
    plain = trainer(1, limit_val_batches=1, val_check_interval=1)
    plain.fit(MLP(1, 1, depth=0, learning_rate=0.0), data)
    mean = 3 * 9.5 + 1
    assert plain.callback_metrics["extrapolation_mse"].item() > 9 * 33 / 4
    assert plain.callback_metrics["extrapolation_mse"].item() < 4 * mean**2


def test_batches_train_in_compiled_steps_as_in_others(path):
    ends = []
    for compile in (False, True):
        population = Population(MLP(2, 1, depth=1, width=3), Table(path, batch_size=4), range(3), compile=compile)
        live = population.live
        ends.append(population.dynamics.run(live.state, live.columns, 0, 20, compile)["parameters"])
    assert torch.allclose(*ends, rtol=1e-4, atol=1e-5)


def test_a_configuration_names_columns_with_dots_and_files_of_any_name(tmp_path, monkeypatch):
    written(tmp_path, "Petal.Length,y\n1,2\n2,3\n3,5\n", "rows.csv")
    config = written(
        tmp_path,
        "model: {class_path: MLP}\n"
        "data: {class_path: Table, init_args: {path: rows.csv, inputs: [Petal.Length], test_share: 0}}\n",
        "rows.yaml",
    )
    monkeypatch.chdir(tmp_path)
    assert experiment(["--config", config, "--data.init_args.path", "rows.csv"]).data.in_features == 1


@pytest.mark.parametrize("given", [{}, {"test_where": "n >= 15"}, {"test_share": 0.5, "test_seed": 3}])
def test_a_search_neither_trains_nor_judges_on_the_test_rows(path, given):
    whole = Table(path, **given)
    chosen = whole.for_selection()
    tested = {*whole.tested[0].tolist()}
    rest = {*range(20)} - tested
    trained, judged = ({*x[0].tolist()} for x in (chosen.x, chosen.tested_x))
    assert not (trained | judged) & tested
    assert trained | judged == rest
    assert len(judged) == round(len(rest) * len(tested) / 20)
    assert not trained & judged
    assert chosen.for_selection().tested_x.equal(chosen.tested_x)


def test_a_search_on_rows_that_are_all_trained_on_judges_by_them(path):
    whole = Table(path, test_share=0.0)
    assert torch.equal(whole.for_selection().tested_x, whole.tested_x)


def test_a_trial_is_judged_on_rows_of_its_own(path):
    base = {"data": {"class_path": "Table", "init_args": {"path": path}}, "trainer": {"max_steps": 2}}
    base |= {"model": {"class_path": "MLP", "init_args": {"depth": 0}}, "seeds": 2, "evaluate_every": 1}
    with Path(path).with_name("base.yaml").open("w") as file:
        yaml.safe_dump(base, file)
    rate = "model.init_args.learning_rate"
    content = {"steps": 2, "seeds": 2, "trials": 1, "space": {rate: {"low": 0.01, "high": 0.1}}}
    space = parse("own", content | {"base": file.name})
    batch = Batch(space, False)
    for setting in ({rate: 0.02}, {rate: 0.05}):
        data = batch._experiment(setting).data
        assert len(data.tested_x[0]) == 3
        assert data.evaluation_seed == JUDGED_ON


def test_parquet_is_read_where_its_library_is(path):
    place = Path(path).with_suffix(".parquet")
    if importlib.util.find_spec("pyarrow") is None:
        place.touch()
        with pytest.raises(ValueError, match=r"^Parquet needs a library of its own; got rows.parquet; pip install"):
            Table(str(place))
        return
    pd.read_csv(path).to_parquet(place)
    assert Table(str(place)).tested_x.equal(Table(path).tested_x)
