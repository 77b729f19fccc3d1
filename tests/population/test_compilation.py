"""When steps are compiled, and where they are kept."""

import os
import stat
from pathlib import Path

import pytest
import torch
from torch._inductor import cpp_builder

from arith_lightning import private
from arith_lightning.population import compilation


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Decide anew where compiled steps are kept, and tell."""

    def decide(named=None, home=tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(home))
        monkeypatch.setenv(compilation.CACHE, str(named or private.default_cache_dir()))
        compilation.keep()
        return Path(os.environ[compilation.CACHE])

    return decide


def test_compiled_steps_are_kept_where_only_the_user_writes(kept, tmp_path):
    folder = kept()
    assert folder.parent == tmp_path / "arith_lightning" / "compiled"
    assert folder.name == torch.backends.cpu.get_cpu_capability().lower()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept() == folder
    assert kept(tmp_path / "mine") == tmp_path / "mine"


@pytest.mark.parametrize("open_to", [0o777, 0o770])
def test_a_cache_that_others_can_write_to_is_not_used(kept, tmp_path, open_to, caplog):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(open_to)
    folder = kept(shared)
    assert folder != shared
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert f"{shared} must be yours alone" in caplog.text


def test_a_cache_that_cannot_be_made_or_named_is_not_used(kept, tmp_path):
    (tmp_path / "file").write_text("")
    spaced = kept(tmp_path / "a b")
    assert " " not in str(spaced)
    assert tmp_path / "file" not in kept(home=tmp_path / "file").parents


def test_paths_with_spaces_are_quoted(monkeypatch):
    for name in ("get_include_dirs", "get_libraries_dirs"):
        monkeypatch.setattr(cpp_builder.BuildOptionsBase, name, getattr(cpp_builder.BuildOptionsBase, name))
    monkeypatch.setattr(torch, "__file__", "/a b/torch/__init__.py")
    for _ in range(2):
        private.quote_paths()
    options = cpp_builder.BuildOptionsBase(compiler="g++", include_dirs=["/a b/include"], libraries_dirs=["/a b/lib"])
    command = cpp_builder.CppBuilder("name", ["source.cpp"], options).get_command_line()
    assert "-I'/a b/include'" in command
    assert "-L'/a b/lib'" in command


def test_a_torn_program_is_compiled_again(monkeypatch, tmp_path):
    torn, calls = tmp_path / "program.so", []
    torn.write_text("half of it")

    def graph(x):
        calls.append(x)
        if torn.exists():
            raise private.InductorError(ImportError(f"{torn}: file too short"), None)
        return x + 1

    monkeypatch.setattr(torch, "compile", lambda *arguments, **options: graph)
    assert compilation.Steps(lambda x: x, ((),))(torch.tensor(1)) == 2
    assert (len(calls), torn.exists()) == (2, False)


def test_short_runs_are_not_compiled_and_without_a_compiler_none_is(monkeypatch, caplog):
    device = torch.device("cpu")
    assert not compilation.worthwhile(9_000, device)
    assert compilation.worthwhile(11_000, device)
    assert not compilation.worthwhile(1_200, device)
    assert compilation.worthwhile(1_200, device, written=20 * 2**20), "networks that write more pay sooner"
    monkeypatch.setenv("CXX", "no such compiler")
    monkeypatch.setenv("PATH", "")
    assert not compilation.worthwhile(11_000, device)
    assert "no C++ compiler was found" in caplog.text
