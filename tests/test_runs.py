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


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "x").write_text("a file where a folder should be")
    with pytest.raises(ValueError, match=r"the run's folder must be writable; got .*x/version_0 \("):
        runs.folder(tmp_path, "x", "a: 1")
