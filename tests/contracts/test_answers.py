"""Whatever is exported can be asked, loaded and exported: an architecture or a dataset is tested by being there."""

import pytest
import torch

from arith_lightning import architectures as architecture_package
from arith_lightning import data as data_package
from arith_lightning.architectures import MLP, NAU, RNN, ArithmeticModule, DeepSets, RecurrentUnit, SineParity
from arith_lightning.data import (
    ArithmeticDataModule,
    FourFunctions,
    HandwrittenDigits,
    NumberSequences,
    NumberSets,
    SequenceParity,
    SingleModuleTask,
)
from arith_lightning.population import Population
from arith_lightning.testing import AnswerContract, architectures, datasets
from arith_lightning.testing.answering import hold

SMALL = {"class_path": "MLP", "init_args": {"depth": 1, "width": 4}}
LINEAR = {"class_path": "torch.nn.Linear", "init_args": {"in_features": 2, "out_features": 1}}
ROWS = "a,b,sum,difference\n" + "".join(f"{a},{b},{a + b},{a - b}\n" for a in range(5) for b in range(4))
SCALED = {"encode": {"a": "bits(3)"}, "scale_inputs": "standard", "scale_targets": "range"}
TABLE = {"class_path": "Table", "init_args": {"path": "rows.csv", "targets": ["sum", "difference"], **SCALED}}
DIGITS = {"class_path": "HandwrittenDigits", "init_args": {"length": 1, "test_length": 1}}
OWN = {
    "Network": ({"class_path": "Network", "init_args": {"network": LINEAR}}, {"class_path": "SingleModuleTask"}),
    "Table": (SMALL, TABLE),
    "HandwrittenDigits": (SMALL, DIGITS),
}
"""What needs an argument, to be built or to fit each other."""
NAMED = {kind.__name__: ({"class_path": kind.__name__}, dict(kind.example)) for kind in architectures()}
ASKED = {data["class_path"] for _, data in NAMED.values()}
"""Datasets that an architecture brings along."""
OTHERS = {kind.__name__: (SMALL, {"class_path": kind.__name__}) for kind in datasets() if kind.__name__ not in ASKED}
CONFIGURATIONS = NAMED | OTHERS | OWN


class TestAnswers(AnswerContract):
    @pytest.fixture(params=CONFIGURATIONS)
    def configuration(self, request, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "rows.csv").write_text(ROWS)
        model, data = CONFIGURATIONS[request.param]
        return {"model": model, "data": data}


def test_nothing_that_is_exported_is_left_out():
    bases = ((architecture_package, ArithmeticModule), (data_package, ArithmeticDataModule))
    kinds = [(name, getattr(package, name), base) for package, base in bases for name in package.__all__]
    trained = {
        name for name, kind, base in kinds if isinstance(kind, type) and issubclass(kind, base) and kind is not base
    }
    assert trained == {*CONFIGURATIONS} | ASKED


def test_another_answer_than_the_populations_is_told():
    with pytest.raises(AssertionError, match=r"an export must answer as population.predict, \[1.0\]; got \[2.0\]"):
        hold("an export", torch.tensor([2.0]), torch.tensor([1.0]))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (MLP, SequenceParity()),
        (NAU, NumberSequences(length=4)),
        (MLP, NumberSets()),
        (MLP, HandwrittenDigits(length=1)),
    ],
)
def test_a_network_of_one_length_is_refused_where_others_are_tested(kind, data):
    network = kind(data.in_features, 1)
    told = f"{kind.__name__} must take examples of every length that is tested; got .*Error: .*; test at the length"
    with pytest.raises(ValueError, match=told):
        Population(network, data, seeds=[0])


@pytest.mark.parametrize(("network", "data"), [(RecurrentUnit(), FourFunctions()), (SineParity(), SingleModuleTask())])
def test_answers_that_would_be_stretched_over_the_targets_are_refused(network, data):
    with pytest.raises(ValueError, match=rf"the data asks {type(network).__name__} for .*; take another architecture"):
        Population(network, data, seeds=[0])


@pytest.mark.parametrize(
    ("network", "data", "columns", "refused"),
    [(RNN(), SequenceParity(3, 9), 7, 0), (DeepSets(6), NumberSets(max_size=3), 8, 7)],
)
def test_examples_of_any_length_are_asked_and_parts_of_an_item_are_not(network, data, columns, refused):
    population = Population(network, data, seeds=[0, 1])
    assert population.predict(torch.ones(2, columns)).shape == (2, 2, 1)
    with pytest.raises(ValueError, match=f"a row for each example and {data.in_features} columns"):
        population.predict(torch.ones(2, refused))
