import copy
import math

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.func import functional_call

from arith_lightning.architectures import iNALU, iNALULayer
from arith_lightning.architectures.layer import load
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream

X = torch.tensor([[2.0, -3.0]])
ON, OFF = 20.0, 0.0


def layer(gate, add=(ON, ON), mul=(ON, ON), m_mul=(ON, ON), **options):
    built = iNALULayer(2, 1, **options)
    values = {"w_hat_add": [add], "m_hat_add": [(ON, ON)], "gate": [gate]}
    if not built.shared:
        values |= {"w_hat_mul": [mul], "m_hat_mul": [m_mul]}
    load(built, {name: torch.tensor(value) for name, value in values.items()})
    return built


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (layer(50.0), -1.0),
        (layer(50.0, add=(ON, -ON)), 5.0),
        (layer(-50.0), -6.0),
        (layer(-50.0, mul=(ON, -ON)), -2 / 3),
        (layer(-50.0, mul=(ON, OFF)), 2.0),
        (layer(0.0), (-1 - 6) / 2),
        (layer(-50.0, shared=True), -6.0),
        (layer(-50.0, add=(ON, -ON), shared=True), -2 / 3),
        # |M| = 1/2 of a negative input: the sign factor is 0
        (layer(-50.0, m_mul=(ON, 0.0)), 0.0),
    ],
)
def test_solutions_by_hand(built, expected):
    assert built(X).item() == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_the_exponent_is_cut_off_and_zero_is_finite():
    built = layer(-50.0)
    assert built(torch.tensor([[1e6, 1e6]])).item() == pytest.approx(math.exp(20), rel=1e-5)
    assert built(torch.zeros(1, 2)).item() == 0.0


def test_no_input_moves_the_gate():
    built = layer(0.3)
    gates = built.gates(torch.randn(7, 2))
    torch.testing.assert_close(gates, torch.full((7, 1), 1 / (1 + math.exp(-0.3))))


def test_penalty_by_hand():
    built = layer(-25.0, add=(1.0, -3.0), mul=(OFF, 30.0), m_mul=(19.0, 18.0))
    assert built.penalty().item() == pytest.approx((19 + 17) / 2 + 0 + (20 + 0) / 2 + (1 + 2) / 2 + 0)


@pytest.mark.parametrize(
    ("step", "error", "expected"), [(10_000, 0.5, 0.0), (10_001, 0.5, 1.0), (10_001, 1.0, 0.0), (40_000, 0.0, 1.0)]
)
def test_the_penalty_is_on_late_and_at_small_errors(step, error, expected):
    module = iNALU()
    x, y = torch.zeros(1, 2), torch.full((1, 1), math.sqrt(error))
    loss = module.loss(torch.zeros(1, 1), x, y, torch.tensor(step))
    penalty = 0.05 * module.network.penalty().item()
    assert loss.item() == pytest.approx(error + expected * penalty)


@pytest.mark.parametrize("shared", [False, True])
def test_gradients_numerically(shared):
    built = iNALULayer(3, 2, shared).double()
    x = torch.tensor([[1.3, -0.7, 2.0], [-1.1, 0.4, -0.6]], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in built.named_parameters()]
    values = [(0.2 + 0.6 * torch.rand_like(p)).requires_grad_() for p in built.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: functional_call(built, dict(zip(names, values, strict=True)), (x,)), (x, *values)
    )


def test_the_start_is_normal_around_its_centers():
    start = iNALULayer(50, 40).initial(Stream(0, Purpose.INITIALIZATION))
    for name, center in (("w_hat_add", 0.88), ("m_hat_mul", 0.5), ("gate", 0.0)):
        tolerance = 5 * 0.2 / start[name].numel() ** 0.5
        assert start[name].mean().item() == pytest.approx(center, abs=tolerance)
        assert start[name].std().item() == pytest.approx(0.2, abs=tolerance)
    assert not torch.equal(start["w_hat_add"], start["w_hat_mul"])
    built = iNALULayer(50, 40, init_scale=0.0)
    assert built.weights()["weight_add"].mean().item() == pytest.approx(0.43972, abs=1e-5)


def reaction(errors, every=1000, **options):
    """Parameters' change after each of a sequence of evaluations."""
    module = iNALU(**options)
    changed = []
    for index, error in enumerate(errors):
        before = module.network.w_hat_add.clone()
        stream = Stream(3, Purpose.INITIALIZATION, (index + 1) * every)
        load(module, module.after_evaluation(torch.tensor(error), stream))
        changed.append(not torch.equal(before, module.network.w_hat_add))
    return changed


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        # stuck: at the fifth evaluation, and five later again
        ([3.0] * 11, [5, 10]),
        ([0.9] * 11, []),
        # falls: the first half's mean is above that of the second by more than its deviation
        ([32.0, 16.0, 8.0, 4.0, 2.0, 1.0], []),
        # falls and stays: (10 + 9) / 2 > 5, (10 + 9 + 5) / 3 > 5, ..., until the halves are alike
        ([10.0, 9.0] + [5.0] * 3, []),
        # rises
        ([0.1, 0.2, 3.0, 4.0, 5.0], [5]),
        ([math.nan] * 8, []),
    ],
)
def test_a_model_starts_anew_where_it_is_stuck(errors, expected):
    assert [index + 1 for index, changed in enumerate(reaction(errors)) if changed] == expected


def restarts(errors, **options):
    return [index + 1 for index, changed in enumerate(reaction(errors, **options)) if changed]


@pytest.mark.parametrize(
    ("errors", "options", "expected"),
    [
        # the same errors below 1, with a smaller limit; a solved model stays
        ([0.9] * 11, {"restart_above": 0.5}, [5, 10]),
        ([1e-9] * 11, {"restart_above": 1e-8}, []),
        # 9 among all earlier errors outweighs the plateau for as long as they are remembered: (9 + 1) / 2 > 1, ...
        ([9.0] + [1.0] * 10, {"restart_above": 0.5}, []),
        # of the latest four, the first halves are (9 + 1) / 2 and then (1 + 1) / 2; a second start has to wait likewise
        ([9.0] + [1.0] * 8, {"restart_above": 0.5, "restart_after": 2000, "restart_memory": 4}, [5, 7, 9]),
        # still improves: (8 + 4) / 2 > (2 + 1) / 2 + 1 / 2
        ([8.0, 4.0, 2.0, 1.0, 0.5, 0.25], {"restart_above": 0.0, "restart_after": 1000, "restart_memory": 4}, []),
    ],
)
def test_small_errors_restart_where_they_are_asked_to(errors, options, expected):
    assert restarts(errors, **options) == expected


def test_restarts_of_nonsense_are_refused():
    with pytest.raises(ValueError, match="restart_above must not be negative; got -1"):
        iNALU(restart_above=-1.0)
    with pytest.raises(ValueError, match=r"restart_above must not be negative; got nan"):
        iNALU(restart_above=math.nan)
    for memory in (1, 65, math.nan):
        with pytest.raises(ValueError, match=rf"restart_memory must lie in \[2, 64\]; got {memory}"):
            iNALU(restart_memory=memory)


def test_restarts_wait_for_steps_not_for_evaluations():
    assert reaction([3.0] * 25, every=500).index(True) == 9
    assert reaction([3.0] * 4, every=5000).index(True) == 1
    assert not any(reaction([3.0] * 25, restart_after=math.inf))


def test_every_start_is_another():
    module = iNALU()
    starts = [module.initial(Stream(3, Purpose.INITIALIZATION, step))["network.gate"].item() for step in (0, 5, 10)]
    assert len(set(starts)) == 3


TASK = {"interpolation": [-20.0, -10.0], "extrapolation": [-40.0, -20.0], "batch_size": 16}
DECAY = {"optimizer": "sgd", "learning_rate": 0.01, "weight_decay": 5.0}
"""Weights shrink and the error rises from every start."""


def parameters(members):
    return members.live["state"]["parameters"]


def test_restarts_are_a_member_s_own(trainer):
    task = SingleModuleTask("add", **TASK)
    module = iNALU(restart_after=10, **DECAY)
    together = Population(module, task, seeds=[2, 0, 5], evaluate_every=5)
    trainer(25).fit(together)
    assert (together.live["module"]["started"] > 0).any()
    for k, seed in enumerate([2, 0, 5]):
        alone = Population(module, task, seeds=[seed], evaluate_every=5)
        trainer(25).fit(alone)
        assert torch.equal(parameters(alone)[:, 0], parameters(together)[:, k])


@pytest.mark.usefixtures("double")
def test_a_population_restarts_as_a_plain_trainer_does(trainer):
    task, seeds = SingleModuleTask("add", **TASK), (0, 5)
    module = iNALU(restart_after=10, **DECAY)
    together = Population(module, task, seeds=seeds, evaluate_every=5)
    trainer(23).fit(together)
    started = together.live["module"]["started"]
    assert (started > 0).all()
    for k, seed in enumerate(seeds):
        single, own = copy.deepcopy(module), copy.deepcopy(task)
        load(single, single.initial(Stream(seed, Purpose.INITIALIZATION)))
        single.seed = own.seed = seed
        trainer(23, val_check_interval=5, check_val_every_n_epoch=None).fit(single, own)
        assert single.started == started[k]
        flat = torch.cat([p.detach().flatten() for p in single.parameters()])
        torch.testing.assert_close(parameters(together)[:, k], flat, rtol=1e-8, atol=1e-9)


def test_a_resumed_population_restarts_at_the_same_evaluations(trainer, tmp_path):
    def fresh():
        module = iNALU(restart_after=10, **DECAY)
        return Population(module, SingleModuleTask("add", **TASK), seeds=range(4), evaluate_every=5)

    through, half, resumed = fresh(), fresh(), fresh()
    trainer(40).fit(through)
    keeping = {"enable_checkpointing": True, "callbacks": [ModelCheckpoint(tmp_path, "last", every_n_epochs=1)]}
    trainer(15, **keeping).fit(half)
    trainer(40, **keeping).fit(resumed, ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert (through.live["module"]["started"] > 15).any()
    assert torch.equal(parameters(resumed), parameters(through))
    for name, column in through.live["module"].items():
        assert torch.equal(resumed.live["module"][name], column)


def test_published_settings():
    module = iNALU()
    assert (module.learning_rate.item(), module.gradient_clip_value) == (pytest.approx(1e-3), 0.1)
    assert (module.penalty_weight.item(), module.restart_after.item()) == (pytest.approx(0.05), 5000)
    assert (module.restart_above.item(), module.restart_memory.item()) == (1.0, 64.0)


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
    state, after = population.live["state"], parameters(population).clone()
    assert torch.equal(after[gates], before[gates])
    assert (state["second"][gates] == 0).all()
    assert (after[~gates] != before[~gates]).all()
    ends = population.dynamics.run(state, population.columns, 8, 2, compile=False)
    assert torch.equal(ends["parameters"][~gates], after[~gates])
    assert torch.equal(ends["second"][~gates], state["second"][~gates])
    assert (ends["parameters"][gates] != after[gates]).all()


def test_a_restart_may_be_uniform():
    module = iNALU(restart_range=2.0, hidden_features=50)
    values = torch.cat([v.flatten() for v in module.restart(Stream(0, Purpose.INITIALIZATION, 7)).values()])
    assert -2 <= values.min() < -1.9
    assert 1.9 < values.max() < 2
    assert values.mean().abs() < 5 * 2 / (3 * len(values)) ** 0.5
    assert reaction([3.0] * 11, restart_range=2.0).index(True) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alternating": True}, "alternating steps need .*got adam; set optimizer: rmsprop"),
        ({"restart_range": 0.0}, "restart_range must be positive and finite, or null; got 0.0"),
        ({"restart_range": math.inf}, "restart_range must be positive"),
        ({"hidden_features": 0}, "at least one input and one output"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        iNALU(**options)
