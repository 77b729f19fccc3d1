"""What holds for everything that is exported: a new architecture, dataset or configuration is tested by being there."""

from pathlib import Path

import pytest

from arith_lightning.architectures import MLP, NMU
from arith_lightning.architectures.nmu import NMULayer
from arith_lightning.config import experiment
from arith_lightning.data.operations import OPERATIONS
from arith_lightning.population import Population
from arith_lightning.testing import (
    ArchitectureContract,
    DatasetContract,
    OperationContract,
    architectures,
    datasets,
)

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(path for path in FOLDER.rglob("*.yaml") if FOLDER / "tables" not in path.parents)
OTHERS = {
    "activation": ["tanh", "gelu"],
    "candidates": [["mul", "add"]],
    "cell": [NMULayer(2, 1)],
    "criterion": ["mean squared error", "relative"],
    "distribution": ["truncated_normal"],
    "encode": [{"a": "sines(2)"}],
    "end": [5],
    "extrapolation": [[3.0, 7.0], [-5.0, -4.0]],
    "formula": ["a + b"],
    "formulas": [["a", "a - b"]],
    "gradient_clip_norm": [1e-3],
    "gradient_clip_value": [1e-3],
    "held_out": [2, "train", "selection"],
    "hidden_features": [3],
    "in_features": [4],
    "integers": [["a"]],
    "interpolation": [[1.5, 3.0], [0.5, 1.0]],
    "item_features": [3],
    "layers": [["NAU", "NAU"], ["NMU", "NAU"]],
    "numbers": [[5.0, 6.0]],
    "operation": ["sub", "product", "square", "add", 2],
    "out_features": [2],
    "reader_widths": [[3]],
    "relevant": [3],
    "restart_range": [[-1.0, 1.0]],
    "rows": [256],
    "seed": [7],
    "test_bits": [5],
    "test_range": [[600, 700]],
    "test_variables": [{"a": [2.0, 4.0]}],
    "threshold": [0.1],
    "variables": [{"a": [1.0, 3.0], "b": [1.0, 2.0]}],
    "widths": [[3, 5]],
    "windows": ["published", "off_by_one"],
}
"""Values to try for arguments whose default does not suggest another."""
BESIDE = {
    "bit_steps": {"bits": 6, "held_out": None},
    "constant": {"operation": "mul_constant"},
    "doubling_steps": {"draws": 8},
    "alternating": {"optimizer": "rmsprop"},
    "interpolation_shape": {"distribution": "exponential", "extrapolation_shape": [0.5]},
    "extrapolation_shape": {"distribution": "exponential", "interpolation_shape": [0.5]},
    "distribution": {"interpolation_shape": [1.0, 1.0], "extrapolation_shape": [1.0, 1.0]},
    "item_features": {"reader_widths": [3]},
    "loss": {"head": "sigmoid"},
    "momentum": {"optimizer": "sgd"},
    "second_interpolation": {"second_extrapolation": [3.0, 4.0]},
    "second_extrapolation": {"second_interpolation": [1.0, 2.0]},
    "schedule": {"schedule_steps": 5, "schedule_end": 0.5},
    "schedule_end": {"schedule": "linear", "schedule_steps": 5},
    "schedule_steps": {"schedule": "linear"},
    "penalty_start": {"penalty_end": 3},
    "smoothing": {"optimizer": "rmsprop"},
}
"""Arguments without which another has no other value."""


class TestArchitectures(ArchitectureContract):
    others, together = OTHERS, BESIDE

    @pytest.fixture(params=architectures())
    def module(self, request):
        return request.param

    def handed_on(self, kind):
        """Two of them stand for all in what every architecture takes; an MLP has no published start."""
        return {NMU: set(), MLP: {"streams"}}.get(kind, super().handed_on(kind))


class TestDatasets(DatasetContract):
    others, together = OTHERS, BESIDE

    @pytest.fixture(params=datasets())
    def data(self, request):
        return request.param


class TestOperations(OperationContract):
    @pytest.fixture(params=OPERATIONS.values(), ids=OPERATIONS)
    def operation(self, request):
        return request.param


def test_configurations_have_names_of_their_own_since_their_runs_do():
    names = [path.stem for path in CONFIGS]
    assert len(names) == len({*names}) > 60


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_trains_two_steps(path, trainer):
    built = experiment(["--config", str(path), "--evaluate_every=1"])
    population = Population(built.module, built.data, seeds=[0, 1], evaluate_every=1, compile=False)
    trainer(2).fit(population)
    assert population.record.interpolation_mse.isfinite().all()
