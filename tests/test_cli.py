import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from arith_lightning import cli, commandline, shipped
from arith_lightning.config import experiment
from arith_lightning.search import declaration

ROOT = Path(__file__).parents[1]


def run(monkeypatch, *arguments):
    started = []
    monkeypatch.setattr(sys, "argv", ["bin/arith-lightning", *arguments])
    monkeypatch.setattr(cli, "launch", lambda module: started.append((module, *sys.argv[1:])) or 0)
    return cli.main(), started


def test_help_has_a_line_for_each_command(monkeypatch, capsys):
    assert run(monkeypatch, "--help") == (0, [])
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told[2:]] == list(cli.COMMANDS)
    assert max(map(len, told)) <= 80


def test_a_misspelt_command_is_one_line_with_the_nearest(monkeypatch, capsys):
    assert run(monkeypatch, "serch") == (2, [])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "got serch; the nearest is 'search'" in error


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fit --seeds 8", "fitting fit --seeds 8"),
        ("fit test --ckpt_path a", "fitting test --ckpt_path a"),
        ("predict logs/run 3,4", "fitting predict logs/run 3,4"),
        ("search --help", "search.optimize --help"),
        ("report table", "report.command table"),
    ],
)
def test_a_command_starts_its_module_with_the_rest(monkeypatch, typed, meant):
    module, *rest = meant.split()
    assert run(monkeypatch, *typed.split()) == (0, [(f"arith_lightning.{module}", *rest)])


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_a_module(name):
    assert callable(importlib.import_module(f"arith_lightning.{cli.COMMANDS[name][0]}").main)


@pytest.mark.parametrize(
    ("module", "arguments", "nearest"),
    [("fit", "--config nmu_mull", "nmu_mul"), ("search.optimize", "--space paritty", "parity")],
)
def test_a_misspelt_file_is_refused_without_torch(tmp_path, module, arguments, nearest):
    (tmp_path / "torch.py").write_text("raise SystemExit(99)")
    code = f"import sys; from arith_lightning.launch import launch; sys.exit(launch('arith_lightning.{module}'))"
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    command = [sys.executable, "-c", code, *arguments.split()]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"the nearest is '{nearest}'" in done.stderr


@pytest.mark.parametrize("name", ["nmu_mul", "nmu_mul.yaml", "configs/nmu_mul", "configs/nmu_mul.yaml"])
def test_a_configuration_is_found_by_name_from_any_folder_and_one_of_the_folder_wins(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert shipped.config(name).samefile(ROOT / "configs" / "nmu_mul.yaml")
    own = tmp_path / Path(name).with_suffix(".yaml")
    own.parent.mkdir(exist_ok=True)
    own.write_text("seeds: 3")
    assert shipped.config(name).samefile(own)
    assert commandline.resolved(["--config", name, "--seeds", "4"])[2:] == ["--seeds", "4"]


def test_data_and_bases_of_what_comes_along_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert experiment(["--config", "field/own_doubles"]).data.in_features == 1
    assert declaration.load("parity").base.samefile(ROOT / "configs" / "sine_parity.yaml")


def test_the_wheel_holds_what_is_looked_for_in_it():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = {place.as_posix(): f"arith_lightning/{shipped.INSTALLED.name}/{place.as_posix()}"
               for place in (shipped.CONFIGS, shipped.SPACES)}  # fmt: skip
    assert wheel["force-include"] == folders
