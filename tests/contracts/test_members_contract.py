"""What holds for a member of a population, whatever its architecture: it is itself, in any company, in any precision."""

import copy

import pytest
import torch
from tests.conftest import TRAINING, architectures, task_for

from arith_lightning.architectures import MLP, NAC, NALU, NAU, NMU
from arith_lightning.architectures.base import load
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream

TRAINED = {"learning_rate": 0.01, **TRAINING}
WIDE = [(kind, {"in_features": n}) for kind in (MLP, NAC, NALU, NAU, NMU) for n in (9, 30)]


def parameters(population):
    return population.live["state"]["parameters"]


@pytest.mark.parametrize("kind", architectures())
def test_a_population_equals_its_members_in_single_precision(kind, trainer):
    """Gradient descent only: Adam divides by the gradient's size and so magnifies rounding without bound."""
    options = {**TRAINED, "optimizer": "sgd", "momentum": 0.9}
    module, data = kind(**options), task_for(kind)
    population = Population(module, data, seeds=[2, 9], evaluate_every=20)
    trainer(20).fit(population)
    for k, seed in enumerate((2, 9)):
        single, own = copy.deepcopy(module), copy.deepcopy(data)
        load(single, single.initial(Stream(seed, Purpose.INITIALIZATION)))
        own.seed = seed
        trainer(20, limit_val_batches=0).fit(single, own)
        flat = torch.cat([p.detach().flatten() for p in single.parameters()])
        torch.testing.assert_close(parameters(population)[:, k], flat, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["penalty_weight", "gradient_clip_norm", "gradient_clip_value", "schedule"])
def test_what_the_comparison_turns_on_is_active(name, trainer):
    """Guards the two comparisons above: each option of TRAINING changes where a member ends."""
    without = {**TRAINED, name: {"penalty_weight": 0.0, "schedule": "constant"}.get(name)}
    alone = {key: value for key, value in TRAINED.items() if not key.startswith("gradient_clip") or key == name}
    ends = []
    for options in (alone, {**alone, name: without[name]}):
        population = Population(NMU(optimizer="sgd", **options), SingleModuleTask(), seeds=[2], evaluate_every=20)
        trainer(20).fit(population)
        ends.append(parameters(population))
    assert not torch.equal(*ends)


def sized(value):
    return value.__name__ if isinstance(value, type) else f"{value.get('in_features', 'own')} inputs"


@pytest.mark.parametrize("steps", [10, 200])
@pytest.mark.parametrize(("kind", "sizes"), [*((kind, {}) for kind in architectures()), *WIDE], ids=sized)
def test_a_member_is_the_same_bits_in_any_company(kind, sizes, steps, trainer):
    """Without clipping, whose own bits are tested beside the optimizers."""
    options = {key: value for key, value in TRAINED.items() if key != "gradient_clip_norm"}

    def trained(seeds):
        population = Population(kind(**sizes, **options), task_for(kind, **sizes), seeds=seeds, evaluate_every=steps)
        trainer(steps).fit(population)
        index = list(seeds).index(7)
        return {"state": parameters(population)[:, index]} | {k: v[..., index] for k, v in population.record.items()}

    alone = trained([7])
    for seeds in ([3, 7, 5], [5, 3, 7], range(50), range(49, -1, -1)):
        company = trained(seeds)
        for name, mine in alone.items():
            torch.testing.assert_close(
                company[name], mine, rtol=0, atol=0, equal_nan=True, msg=lambda m, n=name, s=seeds: f"{n}, {s}: {m}"
            )


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("kind", architectures())
def test_a_neighbour_that_is_not_a_number_is_not_noticed(kind, optimizer, trainer):
    def fresh():
        module = kind(optimizer=optimizer, **TRAINED)
        return Population(module, task_for(kind), seeds=range(4), evaluate_every=6)

    healthy, infected = fresh(), fresh()
    parameters(infected)[:, 1] = torch.nan
    for population in (healthy, infected):
        trainer(12).fit(population)
    others = [0, 2, 3]
    assert parameters(infected)[:, 1].isnan().all()
    assert torch.equal(parameters(infected)[:, others], parameters(healthy)[:, others])
    for name, value in healthy.record.items():
        torch.testing.assert_close(
            infected.record[name][..., others], value[..., others], rtol=0, atol=0, equal_nan=True
        )
    assert infected.record["diverged"].tolist() == [False, True, False, False]
    assert not infected.success[1]


@pytest.mark.parametrize("kind", architectures())
def test_member_reproduces_what_was_recorded_of_it(kind, trainer):
    population = Population(kind(**TRAINED), task_for(kind), seeds=[4, 8], evaluate_every=5)
    trainer(15).fit(population)
    for k in range(2):
        member = population.member(k)
        for split in ("interpolation", "extrapolation"):
            x, y = population.data.evaluation_set(split)
            error = (member(x.mT) - y.mT).square().mean().item()
            assert error == pytest.approx(population.record[f"{split}_mse"][k].item(), rel=1e-4)
        judged = population.data.judge(member(x.mT).mT, y).item()
        assert judged == pytest.approx(population.record["error"][k].item(), rel=1e-4)


@pytest.mark.parametrize("kind", architectures())
def test_a_double_module_makes_a_double_population(kind, trainer):
    population = Population(kind(**TRAINED).double(), task_for(kind), seeds=[0, 1], evaluate_every=10)
    single = Population(kind(**TRAINED), task_for(kind), seeds=[0, 1], evaluate_every=10)
    for each in (population, single):
        trainer(10).fit(each)
    assert parameters(population).dtype == torch.float64
    assert population.member(1)(torch.ones(1, population.data.in_features, dtype=torch.float64)).dtype == torch.float64
    torch.testing.assert_close(parameters(population).float(), parameters(single), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", architectures())
def test_a_population_leaves_its_module_and_its_data_alone(kind, trainer):
    module, data = kind(**TRAINED), task_for(kind)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(0)
    state = torch.get_rng_state()
    trainer(4).fit(Population(module, data, seeds=[1], evaluate_every=4))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.slow
@pytest.mark.parametrize("kind", architectures())
def test_a_compiled_run_equals_an_eager_one(kind, trainer):
    compiled, eager = (
        Population(kind(**TRAINED), task_for(kind), seeds=range(5), evaluate_every=16, compile=on)
        for on in (True, False)
    )
    for population in (compiled, eager):
        trainer(16).fit(population)
    torch.testing.assert_close(parameters(compiled), parameters(eager), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3, 50, 2000])
def test_a_compiled_member_is_the_same_bits_in_any_company(count, trainer):
    """Twelve steps an evaluation: not a multiple of the unrolled steps, so that the remainder counts too."""

    def trained(count):
        population = Population(NMU(**TRAINED), SingleModuleTask(), range(count), evaluate_every=12, compile=True)
        trainer(24).fit(population)
        return parameters(population)[:, 0]

    assert torch.equal(trained(count), trained(7))
