"""What lies in the current folder, in a result's folder or on a command line is not run, and not trusted."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from arith_lightning import fit, results, runs
from arith_lightning.search.chart import NUMBERS, tile
from arith_lightning.trained import configured, whole

CONFIG = Path(__file__).parents[1] / "configs" / "nmu_mul.yaml"
MODULE = "from pathlib import Path\nPath('PWNED').touch()\nclass Foo: pass\n"
DATA = "data: {class_path: SingleModuleTask}\n"


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder with a module that tells when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "evilmod.py").write_text(MODULE)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "evilmod.py").write_text(MODULE)
    return tmp_path


def refused(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["fit", *arguments])
    code = fit.main()
    told = capsys.readouterr().err.strip()
    assert (code, "Traceback" in told, told.startswith("error: ")) == (2, False, True), told
    assert len(told.splitlines()) <= 2, told
    assert not Path("PWNED").exists()
    assert not Path("logs").exists()


@pytest.mark.parametrize("name", ["evilmod.Foo", "pkg.evilmod.Foo", "this.s", "os.system"])
@pytest.mark.parametrize(
    "text",
    [
        "model: NAME",
        "model: {class_path: NAME}",
        "model: NMU\ndata: NAME",
        "model: NMU\ntrainer: {callbacks: NAME}",
        "model: NMU\ntrainer: {callbacks: [NAME]}",
        "model: NMU\ntrainer: {logger: NAME}",
        "model: NMU\ntrainer: {profiler: NAME}",
        "model: NMU\ntrainer: {callbacks: {class_path: LambdaCallback, init_args: {setup: NAME}}}",
    ],
)
def test_no_text_of_a_configuration_imports_what_is_no_class_with_a_base(planted, monkeypatch, capsys, name, text):
    data = "" if "data:" in text else DATA
    Path("c.yaml").write_text(f"seeds: 2\n{data}{text.replace('NAME', name)}\n")
    refused(monkeypatch, capsys, "--config", "c.yaml")


WATCH = """
from collections.abc import Callable
from lightning import Callback
class Watch(Callback):
    def __init__(self, formula: Callable | None = None): pass
class Table(Callback):
    def __init__(self, formula: Callable | None = None): pass
"""


@pytest.mark.parametrize("kind", ["Watch", "Table"])
def test_a_key_of_the_project_s_datasets_hides_no_class_among_arguments_of_others(planted, monkeypatch, capsys, kind):
    Path("mine.py").write_text(WATCH)
    callback = f"{{class_path: mine.{kind}, init_args: {{formula: evilmod.Foo}}}}"
    Path("c.yaml").write_text(f"seeds: 2\n{DATA}model: NMU\ntrainer: {{callbacks: [{callback}]}}\n")
    refused(monkeypatch, capsys, "--config", "c.yaml")
    given = [f"--trainer.callbacks+=mine.{kind}", "--trainer.callbacks.formula=evilmod.Foo"]
    refused(monkeypatch, capsys, "--config", str(CONFIG), *given)


@pytest.mark.parametrize("key", ["callbacks", "callbacks+", "logger", "profiler", "plugins"])
@pytest.mark.parametrize("joined", [True, False])
def test_no_argument_does_either(planted, monkeypatch, capsys, key, joined):
    given = [f"--trainer.{key}=evilmod.Foo"] if joined else [f"--trainer.{key}", "evilmod.Foo"]
    refused(monkeypatch, capsys, "--config", str(CONFIG), *given)


def test_help_does_not_either(planted, monkeypatch, capsys):
    refused(monkeypatch, capsys, "--model.help", "evilmod.Foo")


@pytest.mark.parametrize(
    "text",
    [
        "trainer:\n",
        "trainer: [1]\n",
        "model: {class_path: NMU, init_args: 3}\n",
        "model: {class_path: NMU, init_args: [1]}\n",
        "model: {class_path: [NMU]}\n",
        "model: {class_path: }\n",
    ],
)
def test_parts_of_a_configuration_of_another_kind_are_told(planted, monkeypatch, capsys, text):
    whole_text = "seeds: 2\n" + text + ("" if text.startswith("model") else "model: NMU\n") + DATA
    Path("c.yaml").write_text(whole_text)
    refused(monkeypatch, capsys, "--config", "c.yaml")


@pytest.mark.parametrize("module", ["fit", "benchmark", "report"])
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM], ids=lambda kill: kill.name)
def test_an_interrupt_during_the_imports_is_answered(tmp_path, module, kill):
    process = subprocess.Popen(
        [sys.executable, "-v", "-m", f"arith_lightning.{module}", "--config", str(CONFIG)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for line in process.stderr:
        if line.startswith("import 'torch"):  # its own imports are under way
            break
    process.send_signal(kill)
    lines = [line for line in process.stderr.read().splitlines() if not line.startswith(("import ", "#", "    "))]
    assert process.wait(60) == 130, lines
    told = [line for line in lines if line.startswith("interrupted")]
    assert told == ["interrupted before anything was begun; run the same command again"], lines[-5:]


def finished(folder):
    (folder / runs.RESULT).write_text(json.dumps({"n": 2, "successes": 1}))
    (folder / "runs.csv").write_text("seed\n0\n1\n")
    (folder / runs.CONFIG).write_text("seeds: 2\n")
    return folder


def test_a_finished_run_is_one_whose_files_are_whole(tmp_path):
    assert whole(finished(tmp_path))
    assert results.read(tmp_path) == {"n": 2, "successes": 1}


@pytest.mark.parametrize("name", [runs.RESULT, "runs.csv"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b"seed\n0\n"])
def test_a_run_with_a_torn_or_foreign_file_is_trained_again(tmp_path, name, content):
    finished(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert not whole(tmp_path)


@pytest.mark.parametrize("content", [b"", b"- 1", b"a: [", b"!!python/name:os.system", b"\xff"])
def test_a_run_without_a_readable_configuration_is_nobody_s(tmp_path, content):
    (finished(tmp_path) / runs.CONFIG).write_bytes(content)
    assert configured(tmp_path) == {}


def test_a_torn_or_foreign_tile_is_trained_again(tmp_path):
    path = tmp_path / "tile.npy"
    np.save(path, np.zeros((3, len(NUMBERS))))
    assert tile(path, 3).shape == (3, len(NUMBERS))
    good = path.read_bytes()
    for content in (b"", good[: len(good) // 2], b"garbage", b"PK\x03\x04"):
        path.write_bytes(content)
        assert tile(path, 3) is None
    np.save(path, np.zeros((4, len(NUMBERS))))
    assert tile(path, 3) is None
    np.save(path, np.array([[1, "a"]], dtype=object), allow_pickle=True)
    assert tile(path, 1) is None
    assert tile(tmp_path / "none.npy", 3) is None
