"""What holds for everything that is exported: a new architecture, dataset or configuration is tested by being there."""

import copy
from pathlib import Path

import pytest
import torch
from tests.conftest import TRAINING, architectures, datasets, task_for

from arith_lightning.architectures.layer import load
from arith_lightning.config import experiment
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(path for path in FOLDER.rglob("*.yaml") if FOLDER / "tables" not in path.parents)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("kind", architectures())
def test_a_population_equals_its_members_in_a_plain_trainer(kind, optimizer, trainer):
    momentum = {"momentum": 0.9} if optimizer == "sgd" else {}
    module, data = kind(learning_rate=0.01, optimizer=optimizer, **momentum, **TRAINING), task_for(kind)
    population = Population(module, data, seeds=[0, 5], evaluate_every=25)
    trainer(25).fit(population)
    for k, seed in enumerate((0, 5)):
        single, own = copy.deepcopy(module), copy.deepcopy(data)
        load(single, single.initial(Stream(seed, Purpose.INITIALIZATION)))
        own.seed = seed
        trainer(25, limit_val_batches=0).fit(single, own)
        flat = torch.cat([p.detach().flatten() for p in single.parameters()])
        torch.testing.assert_close(population.live.parameters[:, k], flat, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind", architectures())
def test_parameters_stay_in_their_bounds(kind, trainer):
    population = Population(kind(learning_rate=0.5), task_for(kind), seeds=range(3), evaluate_every=10)
    trainer(10).fit(population)
    low, high = (bound.unsqueeze(-1) for bound in (population.dynamics.low, population.dynamics.high))
    values = population.live.parameters
    assert ((values >= low) & (values <= high)).all()


@pytest.mark.parametrize("kind", architectures())
def test_a_module_takes_any_leading_shape_and_shows_its_layers(kind):
    module, data = kind(), task_for(kind)
    x = torch.rand(4, 3, data.in_features) + 1
    assert module(x).shape == (4, 3, data.out_features)
    torch.testing.assert_close(module(x)[2, 1], module(x[2, 1]))
    assert "Layer(in_features=" in repr(module)


@pytest.mark.parametrize("kind", datasets())
def test_a_dataset_draws_batches_of_its_sizes_and_a_finite_threshold(kind):
    data = kind()
    x, y = data.training_batch(3)
    assert (x.shape, y.shape) == ((data.batch_size, data.in_features), (data.batch_size, data.out_features))
    again, _ = data.training_batch(3)
    assert torch.equal(x, again)
    assert data.fixed == torch.equal(x, data.training_batch(4)[0])
    assert data.threshold(data.columns()).isfinite()


@pytest.mark.parametrize("kind", datasets())
def test_the_exact_answer_is_a_success_and_a_wrong_one_is_not(kind):
    data = kind()
    _, y = data.evaluation_set("extrapolation")
    assert data.judge(y, y) < data.threshold(data.columns())
    assert data.judge(2 * y + 10, y) > data.threshold(data.columns())


def test_configurations_have_names_of_their_own_since_their_runs_do():
    names = [path.stem for path in CONFIGS]
    assert len(names) == len({*names}) > 60


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_trains_two_steps(path, trainer):
    built = experiment(["--config", str(path), "--evaluate_every=1"])
    population = Population(built.module, built.data, seeds=[0, 1], evaluate_every=1, compile=False)
    trainer(2).fit(population)
    assert population.record["interpolation_mse"].isfinite().all()
