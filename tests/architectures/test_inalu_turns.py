"""An iNALU whose weights and gates are moved in turns."""

import copy

import pytest
import torch

from arith_lightning.architectures import iNALU
from arith_lightning.architectures.layer import load
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream


def parameters(members):
    return members.live.parameters


@pytest.mark.parametrize(
    ("step", "moving"), [(0, "weights"), (7, "weights"), (8, "gates"), (9, "gates"), (10, "weights")]
)
def test_weights_and_gates_are_moved_in_turns(step, moving):
    module = iNALU(alternating=True, optimizer="rmsprop", hidden_features=3)
    rests = {name: bool(value) for name, value in module.resting(torch.tensor(step)).items()}
    assert rests == {name: name.endswith("gate") == (moving == "weights") for name, _ in module.named_parameters()}
    assert not iNALU().resting(torch.tensor(step))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd"])
def test_turns_are_the_same_in_a_population_and_in_a_plain_trainer(optimizer, trainer):
    memory = {"momentum" if optimizer == "sgd" else "smoothing": 0.9}
    task, seeds = SingleModuleTask("mul", batch_size=16), (0, 5)
    options = {"gradient_clip_norm": 0.7, "weight_decay": 0.01, "penalty_start": 5, "penalty_end": 5, **memory}
    module = iNALU(alternating=True, optimizer=optimizer, learning_rate=0.01, hidden_features=2, **options)
    together = Population(module, task, seeds=seeds, evaluate_every=23)
    trainer(23).fit(together)
    for k, seed in enumerate(seeds):
        single, own = copy.deepcopy(module), copy.deepcopy(task)
        load(single, single.initial(Stream(seed, Purpose.INITIALIZATION)))
        own.seed = seed
        trainer(23, limit_val_batches=0).fit(single, own)
        flat = torch.cat([p.detach().flatten() for p in single.parameters()])
        torch.testing.assert_close(parameters(together)[:, k], flat, rtol=1e-8, atol=1e-9)
    joint = Population(iNALU(optimizer=optimizer, learning_rate=0.01, hidden_features=2, **options), task, seeds=seeds)
    trainer(23).fit(joint)
    assert not torch.allclose(parameters(joint), parameters(together))


def test_resting_parameters_and_their_optimizer_state_stay(trainer):
    module = iNALU(alternating=True, optimizer="rmsprop", learning_rate=0.01)
    population = Population(module, SingleModuleTask("mul", batch_size=16), seeds=range(3), evaluate_every=8)
    gates = population.dynamics.resting(torch.tensor(0)).squeeze()
    before = parameters(population).clone()
    trainer(8).fit(population)
    state, after = population.live.state, parameters(population).clone()
    assert torch.equal(after[gates], before[gates])
    assert (state["second"][gates] == 0).all()
    assert (after[~gates] != before[~gates]).all()
    ends = population.dynamics.run(state, population.live.columns, 8, 2, compile=False)
    assert torch.equal(ends["parameters"][~gates], after[~gates])
    assert torch.equal(ends["second"][~gates], state["second"][~gates])
    assert (ends["parameters"][gates] != after[gates]).all()
