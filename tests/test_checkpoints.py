"""A checkpoint is whole or the one before it is, and a broken one is told and put aside."""

import pickle
import zipfile

import pytest
import torch

from arith_lightning import checkpoints
from arith_lightning.architectures import NMU
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population


def content(step):
    state = Population(NMU(), SingleModuleTask(), seeds=[0, 1]).get_extra_state()
    return {
        "state_dict": {"_extra_state": state},
        "global_step": step,
        "pytorch-lightning_version": "2.6",
        "loops": {},
        "callbacks": {},
    }


def own(state):
    """Any population's checkpoint will do."""


@pytest.fixture
def folder(tmp_path):
    """A run that has saved twice."""
    for step in (1, 2):
        checkpoints.KeptCheckpoints().save_checkpoint(content(step), tmp_path / checkpoints.LAST)
    return tmp_path


def test_the_checkpoint_before_is_kept(folder):
    steps = [checkpoints.read(folder / name)["global_step"] for name in (checkpoints.LAST, checkpoints.PREVIOUS)]
    assert steps == [2, 1]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["last.ckpt", "previous.ckpt"]
    assert checkpoints.latest(folder, own) == (folder / checkpoints.LAST, [])


class Payload:
    """Something that runs code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def torn(data, folder):
    return data[: len(data) // 2]


def short(data, folder):
    return data[:-1]


def flipped(data, folder):
    """One bit of a member's numbers."""
    with zipfile.ZipFile(folder / checkpoints.LAST) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    at = data.index(largest.filename.encode()) + len(largest.filename) + 64
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def another(data, folder):
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, folder / "other")
    return (folder / "other").read_bytes()


def planted(data, folder):
    torch.save({"state_dict": Payload(folder / "planted")}, folder / "other")
    return (folder / "other").read_bytes()


DAMAGES = [
    torn,
    short,
    flipped,
    another,
    planted,
    lambda data, folder: b"",
    lambda data, folder: b"garbage " * 100,
    lambda data, folder: "text".encode("utf-16"),
    lambda data, folder: pickle.dumps(Payload(folder / "planted")),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_checkpoint_is_put_aside_and_the_one_before_is_taken(folder, damage):
    last = folder / checkpoints.LAST
    broken = damage(last.read_bytes(), folder)
    last.write_bytes(broken)
    with pytest.raises(ValueError, match=r"a checkpoint must be a whole one that a run of `fit` wrote; got .*; name"):
        checkpoints.read(last)
    found, said = checkpoints.latest(folder, own)
    assert found == folder / checkpoints.PREVIOUS
    assert [line.endswith("is torn or altered; it is kept as last.ckpt.broken") for line in said] == [True]
    assert last.with_name("last.ckpt.broken").read_bytes() == broken
    assert not (folder / "planted").exists()


def test_another_run_s_checkpoint_is_put_aside(folder):
    def check(state):
        if len(refused) == 0:
            refused.append(state)
            raise ValueError("a checkpoint must be of the same population")

    refused = []
    found, said = checkpoints.latest(folder, check)
    assert found == folder / checkpoints.PREVIOUS
    assert [line.split("; ")[0].endswith("is of another run") for line in said] == [True]


@pytest.mark.parametrize("part", ["of", "live", "record", "step"])
@pytest.mark.parametrize("value", [None, {}, "text"])
def test_a_checkpoint_with_other_parts_is_none(folder, part, value):
    changed = content(3)
    changed["state_dict"]["_extra_state"][part] = value
    if (part, value) != ("of", {}):
        torch.save(changed, folder / checkpoints.LAST)
        with pytest.raises(ValueError, match=r"must be a whole one .*\((not a checkpoint of a population|torn)"):
            checkpoints.read(folder / checkpoints.LAST)


def test_files_that_were_put_aside_are_kept(folder):
    for n in range(2):
        (folder / checkpoints.LAST).write_bytes(b"broken %d" % n)
        checkpoints.latest(folder, own)
    kept = [(folder / "checkpoints" / f"last.ckpt.broken{end}").read_bytes() for end in ("", "1")]
    assert kept == [b"broken 0", b"broken 1"]


def test_without_a_whole_checkpoint_there_is_none(folder):
    for name in (checkpoints.LAST, checkpoints.PREVIOUS):
        (folder / name).write_bytes(b"")
    found, said = checkpoints.latest(folder, own)
    assert (found, len(said)) == (None, 2)
    assert checkpoints.latest(folder, own) == (None, [])


def test_a_checkpoint_that_does_not_fit_leaves_what_was_there(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.KeptCheckpoints().save_checkpoint(content(3), folder / checkpoints.LAST)
    assert checkpoints.read(folder / checkpoints.LAST)["global_step"] == 2
    assert not (folder / "checkpoints" / "last.ckpt.part").exists()
