"""An iNALU that is stuck starts anew."""

import copy
import math

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning.architectures import iNALU
from arith_lightning.architectures.layer import load
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream


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
    return members.live.parameters


def test_restarts_are_a_member_s_own(trainer):
    task = SingleModuleTask("add", **TASK)
    module = iNALU(restart_after=10, **DECAY)
    together = Population(module, task, seeds=[2, 0, 5], evaluate_every=5)
    trainer(25).fit(together)
    assert (together.live.columns.module["started"] > 0).any()
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
    started = together.live.columns.module["started"]
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
    assert (through.live.columns.module["started"] > 15).any()
    assert torch.equal(parameters(resumed), parameters(through))
    for name, column in through.live.columns.module.items():
        assert torch.equal(resumed.live.columns.module[name], column)


def test_a_restart_may_be_uniform():
    module = iNALU(restart_range=2.0, hidden_features=50)
    values = torch.cat([v.flatten() for v in module.restart(Stream(0, Purpose.INITIALIZATION, 7)).values()])
    assert -2 <= values.min() < -1.9
    assert 1.9 < values.max() < 2
    assert values.mean().abs() < 5 * 2 / (3 * len(values)) ** 0.5
    assert reaction([3.0] * 11, restart_range=2.0).index(True) == 4
