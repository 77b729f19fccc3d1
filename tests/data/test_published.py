"""The numbers of the published script, and runs that come out as its own runs did."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning import architectures
from arith_lightning.architectures.layer import load
from arith_lightning.data import SingleModuleTask
from arith_lightning.data.single_module import intervals
from arith_lightning.population import Population

RUNS = json.loads((Path(__file__).parents[1] / "reference" / "published_runs.json").read_text())
CLASSES = {"G-NALU": "GNALU", "NAC*": "MultiplicativeNAC"}
"""Units whose classes have other names."""
DRIFT = dict.fromkeys(("NAC", "NAC*", "NALU", "G-NALU"), 2e-2)
"""Relative differences of root errors within 5,000 steps, 1e-4 for other units; reference/README.md says why."""
SHORT = [run for run in RUNS if run["steps"][-1] == 5000]
LONG = [run for run in RUNS if run["steps"][-1] == 50_000]


def name(run):
    return f"{run['unit']} {run['operation']} {run['interpolation']}"


def task(**kwargs):
    return SingleModuleTask(streams="published", **kwargs)


def population(run, seeds=None, **kwargs):
    training = {}
    if run["penalty"]:
        training = dict(zip(("penalty_start", "penalty_end"), run["penalty"], strict=True))
    if run["unit"] in ("NPU", "RealNPU") and run["operation"] == "div":
        training = {"penalty_weight": 1e-7}
    module = getattr(architectures, CLASSES.get(run["unit"], run["unit"]))(streams="published", **training)
    data = task(**{key: run[key] for key in ("operation", "interpolation", "extrapolation")})
    return Population(module, data, seeds=seeds or run["seeds"], **kwargs)


class Errors(Callback):
    """Both errors of every member at every evaluation, by step."""

    def __init__(self):
        self.at = {}

    def on_validation_end(self, trainer, pl_module):
        self.at[trainer.global_step] = {key: getattr(pl_module.record, f"latest_{key}").clone() for key in KEYS}


KEYS = ("interpolation_mse", "extrapolation_mse")


def assert_equal_errors(run, members, trainer, steps, rtol):
    errors = Errors()
    errors.at[0] = members.measure()._asdict()
    trainer(steps, callbacks=[errors]).fit(members)
    compared = [step for step in run["steps"] if step in errors.at]
    assert (compared[0], compared[-1], len(compared)) == (0, steps, 1 + steps // 1000)
    for key in KEYS:
        _, target = members.data.evaluation_set(key.removesuffix("_mse"))
        rounding = 8 * torch.finfo(torch.float32).eps * target.square().mean().sqrt().item()
        for index, step in enumerate(run["steps"]):
            if step in errors.at:
                published = torch.tensor([row[index] for row in run[key]]).sqrt()
                ours = errors.at[step][key].float().sqrt()
                torch.testing.assert_close(ours, published, rtol=rtol, atol=rounding, msg=lambda m: f"{step}: {m}")  # noqa: B023


@pytest.mark.parametrize("run", [SHORT[4], SHORT[9], SHORT[13]], ids=name)
def test_errors_equal_those_of_the_published_script(run, trainer):
    assert_equal_errors(run, population(run), trainer, 1000, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("run", SHORT, ids=name)
def test_errors_equal_those_of_the_published_script_for_5000_steps(run, trainer):
    assert_equal_errors(run, population(run), trainer, 5000, DRIFT.get(run["unit"], 1e-4))


@pytest.mark.slow
@pytest.mark.parametrize("run", LONG, ids=name)
def test_seeds_succeed_and_fail_as_in_the_published_script(run, trainer):
    members, errors = population(run), Errors()
    trainer(50_000, callbacks=[errors]).fit(members)
    threshold = members.threshold.tolist()
    best = np.argmin(run["interpolation_mse"], axis=1)
    judged = [row[k] for row, k in zip(run["extrapolation_mse"], best, strict=True)]
    assert members.success.tolist() == [error < limit for error, limit in zip(judged, threshold, strict=True)]
    steps = run["steps"][1:]
    ours = torch.stack([errors.at[step]["extrapolation_mse"] for step in steps], dim=1).tolist()
    published = [row[1:] for row in run["extrapolation_mse"]]
    for rows in zip(ours, published, threshold, strict=True):
        solved = [[step for step, error in zip(steps, row, strict=True) if error < rows[2]][:1] for row in rows[:2]]
        assert solved[0] == solved[1]


def test_numbers_are_those_of_numpy():
    data = task(operation="div", interpolation=[-2, 2], extrapolation=[[-6, -2], [2, 6]], seed=9, batch_size=4)
    generator = np.random.RandomState(np.random.RandomState(9).randint(0, 2**32 - 1))
    for step in range(3):
        x, y = data.training_batch(step)
        expected = generator.uniform(-2, 2, (4, 2))
        assert x.numpy() == pytest.approx(expected.astype(np.float32), abs=0)
        assert y[:, 0].numpy() == pytest.approx((expected[:, 0] / expected[:, 1]).astype(np.float32), abs=0)
    generator = np.random.RandomState(8689336)
    low, high = generator.uniform(-6, -2, (10_000, 2)), generator.uniform(2, 6, (10_000, 2))
    expected = np.where(generator.randint(2, size=(10_000, 2)), low, high).astype(np.float32)
    assert data.evaluation_set("extrapolation")[0].T.numpy() == pytest.approx(expected, abs=0)
    expected = np.random.RandomState(43953907).uniform(-2, 2, (10_000, 2)).astype(np.float32)
    assert data.evaluation_set("interpolation")[0].T.numpy() == pytest.approx(expected, abs=0)


@pytest.mark.parametrize("interpolation", [[1, 2], [[-2, -1], [1, 2]]])
def test_any_step_can_be_asked_for(interpolation):
    through, jumping = task(interpolation=interpolation), task(interpolation=interpolation)
    expected = [through.training_batch(step)[0] for step in range(6)]
    for step in (5, 2, 3, 3, 0, 4, 2):
        assert torch.equal(jumping.training_batch(step)[0], expected[step])
    seeds, columns = torch.tensor([4, 0]), {"interpolation": through.columns()["interpolation"].expand(2, -1, 2)}
    x, _ = jumping.draw_ahead(seeds, columns, 1, 4, torch.float32)
    assert torch.equal(x[:, 1].mT, torch.stack(expected[1:5]))


def test_weights_are_those_of_torch():
    torch.manual_seed(3)
    drawn = [torch.nn.init.uniform_(torch.empty(1, 2), 0.25, 0.75) for _ in range(2)]
    assert torch.equal(architectures.NMU(streams="published", seed=3).network.weight, drawn[1])
    members = Population(architectures.NMU(streams="published"), task(), [8, 3], [{}, {"init_scale": 0.0}])
    start = members.live.parameters
    assert torch.equal(start[:, 1], drawn[1][0])
    assert torch.equal(start[:, 2:], torch.full((2, 2), 0.5))


def test_a_member_is_the_same_in_any_company(trainer):
    ranges = {"interpolation": intervals("i", [10.0, 20.0]), "extrapolation": intervals("e", [20.0, 40.0], 2)}
    module = architectures.NMU(streams="published")
    together = Population(module, task(), [1, 7, 5], [ranges, {}], evaluate_every=10)
    alone = Population(module, task(), [7], evaluate_every=4)
    for members in (together, alone):
        trainer(20).fit(members)
    assert torch.equal(together.live.parameters[:, 4], alone.live.parameters[:, 0])
    assert together.record.error[4] == alone.record.error[0]


def test_a_plain_trainer_equals_the_population(trainer):
    run = SHORT[9]
    members = population(run, [0, 5], evaluate_every=12).double()
    trainer(25).fit(members)
    for k, seed in enumerate((0, 5)):
        single, own = copy.deepcopy(members.module), copy.deepcopy(members.data)
        load(single, single.initial_of(seed))
        own.seed = seed
        torch.set_default_dtype(torch.float64)
        trainer(25, limit_val_batches=0).fit(single.double(), own)
        torch.set_default_dtype(torch.float32)
        flat = torch.cat([p.detach().flatten() for p in single.parameters()])
        torch.testing.assert_close(members.live.parameters[:, k], flat, rtol=1e-9, atol=1e-10)


def test_resuming_goes_on_with_the_same_numbers(trainer, tmp_path):
    through, half, resumed = (population(SHORT[0], range(4), evaluate_every=8) for _ in range(3))
    trainer(24).fit(through)
    keeping = {"enable_checkpointing": True, "callbacks": [ModelCheckpoint(tmp_path, "last", every_n_epochs=1)]}
    trainer(8, **keeping).fit(half)
    resumed.dynamics.data._generators.clear()  # what another process would start with
    trainer(24, **keeping).fit(resumed, ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert torch.equal(resumed.live.parameters, through.live.parameters)


@pytest.mark.parametrize(
    ("kwargs", "value"),
    [
        ({"in_features": 3}, "in_features=3"),
        ({"interpolation": [[1, 2], [3, 4], [5, 6]]}, r"\[5, 6\]\]"),
    ],
)
def test_what_the_published_script_cannot_draw_is_refused(kwargs, value):
    with pytest.raises(ValueError, match=f"fresh from the same one or two intervals; got .*{value}.*to counter"):
        task(**kwargs)
