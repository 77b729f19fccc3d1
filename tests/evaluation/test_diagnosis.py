"""Every rule of the diagnosis, on evidence made to show it and on evidence that does not."""

import pytest
import torch

from arith_lightning.architectures import MLP, NALU, NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.evaluation.diagnosis import Evidence, diagnose
from arith_lightning.population import Population, evidence

X = torch.linspace(-1, 1, 50).expand(10, 1, 50)
Y = X.square() + 1


def made(prediction=None, **changes):
    healthy = {
        "x": X,
        "y": Y,
        "prediction": Y + 0.3 * X if prediction is None else prediction,
        "gradient": torch.ones(3, 10),
        "gates": torch.full((10, 1), 0.5),
    }
    return Evidence(**(healthy | changes))


def symptoms(given):
    return {finding.symptom for finding in diagnose(given)}


def test_a_healthy_population_has_none():
    assert symptoms(made()) == set()


@pytest.mark.parametrize(("constant", "errors"), [(0.0, {"error of zero"}), (7.0, set())])
def test_an_output_that_ignores_the_input_is_seen_with_its_value(constant, errors):
    found = diagnose(made(torch.full_like(Y, constant)))
    assert {finding.symptom for finding in found} == {"constant output"} | errors
    assert f"10 of 10 unsolved members answer the same for every input, {constant:g}" in found[0].sentence


def test_an_error_equal_to_the_variance_is_that_of_the_mean():
    found = {f.symptom: f.sentence for f in diagnose(made(Y.mean(-1, keepdim=True) + 1e-3 * X))}
    assert set(found) == {"error of the mean"}
    assert f"{Y[0].var(correction=0):.3g}" in found["error of the mean"]


def test_large_inputs_matter_to_affine_layers_only():
    large = {"x": 1000 * X, "prediction": Y + 0.3 * X}
    assert symptoms(made(**large, affine=True)) == {"unscaled inputs"}
    assert symptoms(made(**large)) == set()
    assert symptoms(made(x=99 * X, affine=True)) == set()


def test_targets_beyond_the_last_function_are_counted():
    found = diagnose(made(output_range=(0.0, 1.5)))
    assert [finding.symptom for finding in found] == ["targets out of range"]
    share = (Y > 1.5).double().mean().item()
    assert f"{share:.1%}" in found[0].sentence


@pytest.mark.parametrize(("count", "told"), [(0, False), (1, True), (10, True)])
def test_zero_gradients_are_counted_by_member(count, told):
    gradient = torch.ones(3, 10)
    gradient[:, :count] = 0
    assert symptoms(made(gradient=gradient)) == ({"zero gradient"} if told else set())


def test_a_rare_symptom_is_not_told():
    gradient = torch.ones(3, 100)
    gradient[:, :9] = 0
    many = {name: value.repeat(10, 1, 1) for name, value in {"x": X, "y": Y, "prediction": Y + 0.3 * X}.items()}
    assert symptoms(Evidence(**many, gradient=gradient)) == set()


def test_gates_count_as_saturated_when_all_of_a_member_are():
    gates = torch.tensor([[1e-4, 1 - 1e-4]]).expand(10, 2)
    assert symptoms(made(gates=gates)) == {"saturated gate"}
    assert symptoms(made(gates=torch.tensor([[1e-4, 0.5]]).expand(10, 2))) == set()


def test_a_population_of_dead_networks_is_diagnosed_from_its_own_made():
    module = MLP(head="relu", init_scale=0.0, init="he")
    data = SingleModuleTask(interpolation=[0, 499], extrapolation=[500, 999])
    found = diagnose(evidence(Population(module, data, seeds=range(4)), 0))
    assert {finding.symptom for finding in found} == {
        "constant output",
        "error of zero",
        "unscaled inputs",
        "zero gradient",
    }


@pytest.mark.parametrize(("module", "gates"), [(NALU(), True), (NMU(), False)])
def test_evidence_holds_gates_where_the_architecture_has_them(module, gates):
    found = evidence(Population(module, SingleModuleTask(), seeds=range(4)), 0)
    assert (found.gates is not None) == gates
    assert found.prediction.shape == found.y.shape == (4, 1, 128)


def test_nobody_is_left_to_diagnose():
    population = Population(NMU(), SingleModuleTask(), seeds=range(4))
    population.record.error[:] = 0
    assert evidence(population, 0) is None
