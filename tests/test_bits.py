"""What README promises bit by bit, and what to rounding; run at every level of vector instructions."""

import hashlib
import os
import subprocess
import sys

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning.architectures import MLP, NALU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.testing import architectures, task_for

STEPS, EVERY = 24, 8


def digest(population):
    """Every bit of the members' numbers."""
    tensors = [*population.live.state.values(), *population.record.plain().values()]
    return hashlib.sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)).hexdigest()


def members(kind, compile, drop=False, workers=1):
    """A population whose size leaves a rest in vectors of any length; a NALU has a few weights, an MLP matrices."""
    module = kind(learning_rate=0.02, **({"depth": 2, "width": 9} if kind is MLP else {}))
    data = SingleModuleTask(epsilon=0.02 if drop else 1e-5, batch_size=16)
    population = Population(module, data, range(37), [{}], EVERY, compile, drop, workers)
    population.dynamics.tile = 11  # several, the last of them smaller
    return population


PROCESS = """
import sys
import torch
from lightning import Trainer
from tests import test_bits as bits
population = bits.members(getattr(bits, sys.argv[1]), sys.argv[2] == "True")
options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
Trainer(max_steps=bits.STEPS, max_epochs=-1, num_sanity_val_steps=0, **options).fit(population)
counters = torch._dynamo.utils.counters
print(counters["inductor"]["fxgraph_cache_hit"] + counters["aot_autograd"]["autograd_cache_hit"])
print(bits.digest(population))
"""


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("kind", [NALU, MLP])
def test_the_same_command_gives_the_same_bits_in_another_process_on_other_cores(kind, compile, trainer):
    population = members(kind, compile)
    trainer(STEPS).fit(population)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROCESS, kind.__name__, str(compile)],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    recalled, found = done.stdout.split()[-2:]
    assert found == digest(population), done.stderr
    assert (int(recalled) > 0) == compile, "compiled steps are recalled from the disk"


@pytest.mark.parametrize("kind", [NALU, MLP])
def test_the_number_of_workers_changes_no_bit(kind, trainer):
    alone, shared = members(kind, True), members(kind, True, workers=3)
    for population in (alone, shared):
        trainer(STEPS).fit(population)
    assert digest(alone) == digest(shared)


@pytest.mark.parametrize(("kind", "compile"), [(NALU, False), (NALU, True), (MLP, False)])
@pytest.mark.parametrize("drop", [False, True])
def test_an_interrupted_run_gives_the_same_bits(kind, drop, compile, trainer, tmp_path):
    def fresh():
        return members(kind, compile, drop=drop)

    keeping = {"enable_checkpointing": True, "callbacks": [ModelCheckpoint(tmp_path, "last", every_n_epochs=1)]}
    through, resumed = fresh(), fresh()
    trainer(STEPS).fit(through)
    trainer(2 * EVERY, **keeping).fit(fresh())
    trainer(STEPS, **keeping).fit(resumed, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert digest(resumed) == digest(through)


@pytest.mark.parametrize("poison", [float("inf"), float("nan")])
@pytest.mark.parametrize(("kind", "compile"), [(NALU, False), (NALU, True), (MLP, False)])
def test_what_becomes_of_the_others_changes_no_bit(kind, compile, poison, trainer):
    ends = []
    for value in (0.5, poison):
        population = members(kind, compile)
        population.live.parameters[:, 19:] = value
        trainer(STEPS).fit(population)
        ends.append(population.live.parameters)
    assert not ends[1][:, 19:].isfinite().any()
    assert not population.success[19:].any()
    assert torch.equal(ends[0][:, :19], ends[1][:, :19])


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("kind", architectures())
def test_a_member_is_the_same_in_any_company_to_rounding(kind, trainer):
    def trained(seeds):
        population = Population(kind(learning_rate=0.01), task_for(kind), seeds, evaluate_every=3)
        trainer(6).fit(population)
        return population.live.parameters[:, list(seeds).index(7)]

    alone = trained([7])
    for seeds in ([3, 7, 5], range(19)):
        torch.testing.assert_close(trained(seeds), alone, rtol=1e-8, atol=1e-10)
