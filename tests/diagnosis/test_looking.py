"""What is seen of populations: evidence of the right members, what architectures do, the findings of runs."""

import pytest
import torch
from lightning import Trainer
from rich.console import Console
from torch import nn

from arith_lightning import data
from arith_lightning.architectures import MLP, NAC, NALU, NMU, MultiplicativeNAC, Network
from arith_lightning.callbacks import Doctor
from arith_lightning.diagnosis import History, diagnose, evidence, task
from arith_lightning.diagnosis.family import family
from arith_lightning.diagnosis.task import parted
from arith_lightning.population import Population


def trained(module, dataset, seeds=4, steps=8, every=1, **more):
    """Return a population after some steps and what a doctor made of it."""
    population = Population(module, dataset, seeds=range(seeds), evaluate_every=every, compile=False, **more)
    doctor = Doctor(Console(quiet=True))
    trainer = Trainer(
        max_steps=steps, max_epochs=-1, logger=False, callbacks=[doctor], enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(population)
    return population, doctor


def told(doctor):
    return {each.finding.name: each.members for each in doctor.found}


def of_one(formula, low=0.0, high=1.0, **more):
    return data.Formula(formula=formula, variables={"a": [low, high]}, **more)


def asked(**more):
    return data.Formula(formula="a * b", variables={"a": [-1.0, 1.0], "b": [-1.0, 1.0]}, **more)


@pytest.mark.parametrize(
    ("module", "linear", "symmetry", "signless", "low"),
    [
        (MLP(), False, 0, False, -torch.inf),
        (MLP(depth=0), True, 0, False, -torch.inf),
        (MLP(activation="none"), True, 0, False, -torch.inf),
        (MLP(depth=0, head="sigmoid"), True, 0, False, 0.0),
        (MLP(activation="tanh", bias=False), False, -1, False, -torch.inf),
        (MLP(depth=1, activation="square", bias=False), False, 1, False, -torch.inf),
        (NAC(), True, -1, False, -torch.inf),
        (NMU(), False, 0, False, -torch.inf),
        (NALU(), False, 0, True, -torch.inf),
        (MultiplicativeNAC(), False, 1, True, 0.0),
        (Network(nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))), True, 0, False, -torch.inf),
        (Network(nn.Sequential(nn.Linear(2, 4), nn.ELU(), nn.Linear(4, 1), nn.Softplus())), False, 0, False, 0.0),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, nn.Module) else "",
)
def test_an_architecture_is_told_by_what_fresh_networks_do(module, linear, symmetry, signless, low):
    told = family(Population(module, asked(), seeds=range(2)))
    assert (told.linear, told.symmetry, told.signless, told.low) == (linear, symmetry, signless, low)


def test_weights_that_start_at_zero_are_told_by_what_they_may_become():
    told = family(Population(MLP(activation="tanh", init="he"), asked(), seeds=range(2)))
    assert (told.linear, told.symmetry) == (False, 0)
    told = family(Population(MLP(init="he", init_scale=0.0), asked(), seeds=range(2)))
    assert (told.linear, told.symmetry) == (False, 0)


def test_evidence_is_of_the_unsolved_members_and_of_what_they_answer():
    population, doctor = trained(MLP(widths=[3], head="relu"), asked(), seeds=5)
    population.record.error[1] = population.record.error[3] = 0.0
    seen = evidence(population, doctor.history, doctor.task)
    assert (len(seen), seen.errors.shape) == (3, (8, 3))
    assert seen.steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    for row, member in enumerate([0, 2, 4]):
        module = population.member(member)
        values = population.dynamics.unflatten(population.live.parameters[:, member])
        answer = torch.func.functional_call(module, values, seen.x[row].mT)
        assert torch.allclose(answer.mT, seen.answer[row], atol=1e-6)
        hidden = torch.relu(values["network.0.0.weight"] @ seen.x[row] + values["network.0.0.bias"].unsqueeze(1))
        [units] = seen.units.values()  # the head is no hidden layer
        assert torch.allclose(hidden, units[row], atol=1e-6)
        error = (seen.answer[row] - seen.y[row]).square().mean().item()
        assert seen.fit_error[row].item() == pytest.approx(error, rel=1e-5)
    assert torch.equal(seen.y, seen.x.prod(1, keepdim=True))
    population.record.error[:] = 0.0
    assert evidence(population, doctor.history, doctor.task) is None


def test_members_of_settings_with_other_ranges_are_told_of_their_own_sets():
    settings = [{"interpolation": [0.0, 1.0]}, {"interpolation": [5.0, 9.0]}]
    dataset = data.SingleModuleTask(operation="add")
    module = MLP(dataset.in_features, widths=[3])
    population, doctor = trained(module, dataset, seeds=2, settings=settings)
    seen = evidence(population, doctor.history, doctor.task)
    variances = [population.examples(k, "interpolation")[1].double().var(correction=0).item() for k in range(4)]
    assert variances[0] != pytest.approx(variances[2])
    assert seen.variance.tolist() == pytest.approx(variances)
    assert sorted(doctor.task.known) == [0, 2]


def test_what_stays_the_same_is_computed_at_the_first_look_alone(monkeypatch):
    calls = []
    for name in ("family", "asked"):
        one = getattr(task, name)
        monkeypatch.setattr(task, name, lambda *given, one=one, name=name: (calls.append(name), one(*given))[1])
    _, doctor = trained(MLP(depth=0), asked(), steps=16)
    assert doctor.looks == 16
    assert sorted(calls) == ["asked", "family"]


def test_examples_are_many_however_small_the_batch():
    population, doctor = trained(MLP(widths=[3]), asked(batch_size=1))
    assert evidence(population, doctor.history, doctor.task).x.shape == (4, 2, 1000)


@pytest.mark.parametrize(
    ("module", "dataset", "expected"),
    [
        (MLP(depth=0), asked(), "linear network"),
        (NAC(), asked(), "linear network"),
        (NALU(), asked(), "sign lost"),
        (
            MLP(1, activation="tanh", bias=False),
            of_one("a * a", -1.0),
            "symmetric",
        ),
        (MLP(head="sigmoid"), asked(), "targets out of range"),
        (
            MLP(1, head="relu", init="he", init_scale=0.0),
            of_one("a + 2"),
            "dead",
        ),
        (MLP(optimizer="sgd", learning_rate=1e6), asked(), "diverged"),
        (MLP(learning_rate=0.0), asked(), "no better than a constant"),
        (MLP(), data.Formula(formula="1000 * a * b", variables={"a": [0, 1.0], "b": [0, 1.0]}), "unscaled targets"),
        (MLP(1), of_one("sin(a / 100)", 0.0, 999.0), "unscaled inputs"),
        (
            MLP(1, learning_rate=1e-4),
            of_one("a % 2 == 0", 0, 99, integers=["a"], criterion="wrong"),
            "jagged target",
        ),
        (
            MLP(1, widths=[8] * 6, activation="sigmoid", optimizer="sgd", learning_rate=1e-3),
            of_one("a", -1.0),
            "vanishing gradient",
        ),
        (MLP(widths=[8], activation="tanh", init="he", init_scale=1e4), asked(), "saturated units"),
    ],
)
def test_a_run_that_fails_is_told_its_cause(module, dataset, expected):
    _, doctor = trained(module, dataset)
    found = told(doctor)
    assert max(found, key=found.get).startswith(expected), found
    assert max(found.values()) >= 3


def test_a_network_that_is_right_inside_alone_is_told_so():
    inside = {"formula": "a * b", "variables": {"a": [0, 1.0], "b": [0, 1.0]}, "criterion": "r2"}
    module = MLP(widths=[32], learning_rate=0.01)
    _, doctor = trained(module, data.Formula(**inside, test_variables={"a": [2, 4.0]}), steps=600, every=75)
    assert told(doctor) == {"right inside wrong outside": 4}


def test_inputs_that_part_are_seen_by_their_places():
    seen = torch.stack([torch.arange(9.0), torch.arange(9.0).square(), -2 * torch.arange(9.0)])
    apart = seen.clone()
    apart[2] = 0
    assert parted(seen, apart) == [0, 2]
    assert parted(seen, seen) == []


def test_members_that_were_dropped_are_told_of():
    _, doctor = trained(MLP(optimizer="sgd", learning_rate=1e6), asked(), drop_decided=True, steps=20, every=5)
    assert told(doctor) == {"diverged": 4}


def test_a_population_that_trains_has_no_findings():
    population, doctor = trained(NMU(learning_rate=0.1), asked(), seeds=2, steps=1200, every=300)
    assert population.success.all()
    assert doctor.found == []


def test_a_history_keeps_a_bounded_number_of_evaluations_evenly():
    history = History()
    for step in range(1, 1001):
        history.add(step, torch.tensor([float(step)]))
    assert len(history.steps) <= 64
    assert len({b - a for a, b in zip(history.steps, history.steps[1:], strict=False)}) == 1
    again = History.of(history.plain())
    again.add(1001, torch.tensor([1.0]))
    history.add(1001, torch.tensor([1.0]))
    assert again.plain()["steps"] == history.plain()["steps"]


def test_looking_changes_nothing():
    population, doctor = trained(MLP(), asked())
    before = {name: value.clone() for name, value in population.live.state.items()}
    diagnose(evidence(population, doctor.history, doctor.task))
    assert all(torch.equal(value, population.live.state[name]) for name, value in before.items())
