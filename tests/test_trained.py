"""Runs that are recalled: what is found again, what is not, and that a checkpoint is data."""

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from rich.console import Console

from arith_lightning import checkpoints, runs
from arith_lightning.trained import QUICK_SEEDS, QUICK_STEPS, Run, Trained, prepare, recall, train

ROOT = Path(__file__).parents[1]
RUN = Run("nmu_mul")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project's folder with one configuration and its finished quick run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "configs").mkdir()
    shutil.copy(ROOT / "configs" / "nmu_mul.yaml", folder / "configs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prepare([RUN], True, 1, Console(quiet=True))
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch):
    """A copy of it, to be changed."""
    folder = shutil.copytree(trained, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_a_finished_run_is_recalled_with_its_members_and_its_history(project):
    found = recall(RUN, quick=True)
    assert found.rate.n == QUICK_SEEDS
    assert [entry["step"] for entry in found.history] == [QUICK_STEPS]
    errors = found.population.record.extrapolation_mse.sort().values
    assert errors[0].item() == found.summary["extrapolation_mse"]["best"]


def test_a_changed_configuration_is_not_recalled(project):
    assert recall(RUN, quick=True) is not None
    path = project / "configs" / "nmu_mul.yaml"
    text = path.read_text()
    path.write_text(text + "\n# a comment changes nothing\n")
    assert recall(RUN, quick=True) is not None
    path.write_text(text.replace("max_steps: 50000", "max_steps: 50001"))
    assert recall(RUN, quick=True) is not None  # a quick run has steps of its own
    path.write_text(text.replace("epsilon: 1.0e-5", "epsilon: 1.0e-4"))
    assert recall(RUN, quick=True) is None


def test_a_run_with_other_flags_is_another(project):
    assert recall(Run("nmu_mul", ("--model.init_args.learning_rate=0.5",)), quick=True) is None
    assert recall(RUN) is None


class Payload:
    """What would make a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("attribute", ["history", "population"])
def test_a_planted_checkpoint_executes_nothing(project, attribute):
    found = recall(RUN, quick=True)
    content = found.checkpoint
    content["callbacks"]["Dashboard"]["history"] = Payload()
    torch.save(content, found.folder / checkpoints.LAST)
    with pytest.raises(ValueError, match=r"must be a whole one that a run of `fit` wrote; got .*last\.ckpt"):
        getattr(found, attribute)
    assert not (project / "executed").exists()


def test_the_payload_is_one(project):
    torch.save(Payload(), "planted")
    torch.load("planted", weights_only=False)
    assert (project / "executed").exists()


@pytest.mark.parametrize("flags", [(), ("--seeds=[0,1]", "--settings=[{learning_rate: 0.1}]")])
def test_a_command_can_be_typed_as_it_is_printed(flags):
    run = Run("nmu_mul", flags)
    words = shlex.split(run.command())
    assert words == ["python", "-m", "arith_lightning.fit", "--config", "configs/nmu_mul.yaml", *flags]


def test_the_rate_is_that_of_the_summary(tmp_path):
    (tmp_path / runs.RESULT).write_text(json.dumps({"successes": 3, "n": 4}))
    assert str(Trained(RUN, tmp_path, None).rate) == "3/4 = 0.75 [0.30, 0.96]"


def test_shares_of_its_steps_are_told_at_each_evaluation_and_add_up_to_a_run(project):
    flags = ("--seeds=2", "--trainer.max_steps=20", "--evaluate_every=5")
    told = []
    train([Run("nmu_mul", flags)], False, 1, lambda run, share: told.append(share))
    assert told == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.0])


def test_a_run_that_fails_is_told_with_its_last_words_and_its_command(project):
    run = Run("nmu_mul", ("--model.init_args.learning_rate=-1",))
    with pytest.raises(ValueError, match=r"^a run failed: error: learning_rate must be finite") as told:
        train([run], False, 1, lambda run, share: None)
    assert str(told.value).endswith(f"alone it is {run.command()}")
