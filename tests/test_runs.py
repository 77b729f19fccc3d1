import subprocess
import sys

import pytest

from arith_lightning import runs


def test_a_new_run_gets_a_folder_of_its_own_and_an_unfinished_one_its_old_one(tmp_path):
    first = runs.folder(tmp_path, "x", "a: 1")
    runs.begin(first, "a: 1")
    assert runs.folder(tmp_path, "x", "a: 1") == first
    second = runs.folder(tmp_path, "x", "a: 2")
    assert (first.name, second.name) == ("version_0", "version_1")
    (first / runs.RESULT).write_text("{}")
    assert runs.folder(tmp_path, "x", "a: 1").name == "version_2"


def test_runs_that_start_at_the_same_moment_do_not_share_a_folder(tmp_path, monkeypatch):
    """Both have listed the versions before either has created its own."""
    (tmp_path / "x").mkdir()
    monkeypatch.setattr(runs, "number", lambda path: -1)
    folders = {runs.folder(tmp_path, "x", f"a: {k}") for k in range(3)}
    assert len(folders) == 3


@pytest.mark.parametrize("root", ["x", "logs/x"])
def test_a_folder_that_cannot_be_written_is_told(tmp_path, root):
    (tmp_path / root).parent.mkdir(exist_ok=True)
    (tmp_path / root).write_text("a file where a folder should be")
    with pytest.raises(ValueError, match=r"the run's folder must be writable; got .*x \(File exists\); free or mount"):
        runs.folder((tmp_path / root).parent, "x", "a: 1")


def test_a_disk_that_is_not_mounted_is_told(tmp_path):
    (tmp_path / "logs").symlink_to(tmp_path / "not mounted")
    with pytest.raises(ValueError, match=r"the run's folder must be writable; got .*; free or mount the disk"):
        runs.folder(tmp_path / "logs", "x", "a: 1")


def test_a_start_that_was_killed_before_its_first_file_leaves_its_folder_to_the_next(tmp_path):
    (tmp_path / "x" / "version_0").mkdir(parents=True)
    (tmp_path / "x" / "version_0" / runs.LOCK).write_text("1\n")
    assert runs.folder(tmp_path, "x", "a: 1").name == "version_0"


def test_what_else_lies_among_the_versions_is_left_alone(tmp_path):
    for name in ("version_old", "version_", "version_1x", "notes"):
        (tmp_path / "x" / name).mkdir(parents=True)
    (tmp_path / "x" / "version_4").mkdir()
    (tmp_path / "x" / "version_4" / runs.CONFIG).write_bytes(b"a: \xff")
    assert runs.folder(tmp_path, "x", "a: 1").name == "version_5"


WORK = """
import pathlib, sys
from arith_lightning import runs
folder = runs.folder(pathlib.Path(sys.argv[1]), "x", "a: 1")
runs.begin(folder, "a: 1")
print(folder.name, flush=True)
sys.stdin.read()
"""


def test_a_run_in_progress_is_left_to_its_process_until_that_is_killed(tmp_path):
    processes = []

    def start():
        command = [sys.executable, "-c", WORK, str(tmp_path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        processes.append(subprocess.Popen(command, text=True, **pipes))
        return processes[-1].stdout.readline().strip()

    try:
        assert [start(), start()] == ["version_0", "version_1"]
        locks = [(tmp_path / "x" / f"version_{n}" / runs.LOCK).read_text() for n in (0, 1)]
        assert locks == [f"{process.pid}\n" for process in processes]
        processes[0].kill()
        processes[0].wait()
        assert start() == "version_0"
    finally:
        for process in processes:
            process.kill()
            process.communicate()
