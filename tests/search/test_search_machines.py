import importlib.util
import sys

import pytest
from optuna.trial import TrialState
from processes import Postgres, Proxy, start, study_of

from arith_lightning.search import optimize, studies

RATE = "model.init_args.learning_rate"


@pytest.fixture
def url(request, tmp_path):
    kind = request.param
    if kind == "journal":
        yield str(tmp_path / "journal.log")
    elif kind == "sqlite":
        yield f"sqlite:///{tmp_path}/study.db"
    else:
        server = Postgres() if kind == "postgres" else Proxy(tmp_path / "served.log")
        yield server.url
        server.stop()


def finish(process):
    output, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    return output


def check(study, at_least):
    """No trial is lost, none is twice, and every worker proposed settings of its own."""
    trials = study.get_trials()
    assert [t.number for t in trials] == list(range(len(trials)))
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert len(studies.finished(study)) >= at_least
    rates = [t.params[RATE] for t in trials]
    assert len(set(rates)) == len(rates)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("url", ["journal", "sqlite", "postgres", "grpc"], indirect=True)
def test_four_workers_share_a_study_and_share_it_again_after_a_resume(tmp_path, url):
    finish(start(tmp_path, 40, "--storage", url, workers=4))
    check(study_of(tmp_path, url), 40)
    finish(start(tmp_path, 72, "--storage", url, workers=4))
    check(study_of(tmp_path, url), 72)


@pytest.mark.slow
def test_two_commands_on_one_storage_share_a_study(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    journal = str(tmp_path / "journal.log")
    both = [start(tmp_path / name, 64, "--storage", journal) for name in "ab"]
    for process in both:
        finish(process)
    check(study_of(tmp_path / "a", journal), 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--storage", "grpc://127.0.0.1:1x"], "--storage must be"),
        (["--storage", "/dev/null/journal"], "--storage must be a writable journal file"),
        (["--logs", "/dev/null/logs"], "files must be writable"),
        (["--space", "paritty"], "the nearest is 'parity'"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(arguments, message, capsys, tmp_path):
    options = ["--workers", "1", "--space", "parity", "--trials", "1", "--logs", str(tmp_path), *arguments]
    assert optimize.main(options) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1, error


@pytest.mark.parametrize("package", ["cmaes", "ray"])
def test_a_missing_package_is_named_with_its_extra(package, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else found(name, *rest)
    )
    option, extra = {"cmaes": (["--sampler", "cmaes"], "samplers"), "ray": (["--ray"], "ray")}[package]
    assert optimize.main(["--space", "parity", "--workers", "1", *option]) == 2
    assert f"needs the package {package}; pip install '.[{extra}]'" in capsys.readouterr().err
