"""The speed benchmark: rows, turns, the other process, what is printed and what is kept."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from arith_lightning.benchmark import command
from arith_lightning.benchmark.speed import command as speed
from arith_lightning.benchmark.speed import show
from arith_lightning.benchmark.speed.contestants import Here, plain_loop, trainer
from arith_lightning.benchmark.speed.figures import Results, figure, read
from arith_lightning.benchmark.speed.peer import PROGRAM, Peer
from arith_lightning.benchmark.speed.rows import ROWS
from arith_lightning.benchmark.speed.turns import measure

QUICK = ["--seconds", "0.001", "--repeats", "1"]
FAKE = """
import json, sys
print(json.dumps({"jax": "9.9", "optax": "0.9"}), flush=True)
for line in sys.stdin:
    print(json.dumps({"compile": 0.5, "rate": 2000.0}), flush=True)
"""


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Compile nothing."""
    monkeypatch.setattr(speed, "worthwhile", lambda steps, device: False)


@pytest.fixture
def results():
    found = [
        figure("NMU", "PyTorch loop", 1, "updates/s", [90.0, 100.0, 120.0]),
        figure("NMU", "population", 1, "updates/s", [300.0]),
        figure("NMU", "population", 64, "updates/s", [2.5e6, 2e6, 1 / 3]),
        figure("NMU", "population", 64, "compile s", [1.25], "cold"),
        figure("NMU", "JAX natural", 64, "updates/s", [5e5]),
        figure("NMU", "JAX tuned", 64, "updates/s", [1e6]),
        figure("NMU", "population", 64, "share of sgemm", [0.254]),
    ]
    return Results({"processor": "a: b, c", "jax": "9.9"}, found)


@pytest.mark.parametrize("key", ROWS)
def test_a_row_has_one_task_however_its_examples_are_drawn(key):
    row = ROWS[key]()
    for drawn, own in zip(row.batch(row.data.batch_size), row.data.training_batch(0), strict=True):
        assert drawn.shape == own.shape
        assert drawn.dtype == own.dtype
        assert torch.isclose(drawn.mean(), own.mean(), rtol=0.3, atol=0.15)
    if row.plain is not None:
        sizes = [[tuple(p.shape) for p in network.parameters()] for network in (row.plain, row.module)]
        assert sizes[0] == sizes[1]


@pytest.mark.parametrize("key", ["mlp", "mlp_parity", "mlp_product", "mlp_wide"])
def test_operations_of_a_perceptron_are_counted_as_by_hand(key):
    row = ROWS[key]()
    weights = [p for p in row.module.parameters() if p.dim() == 2]
    expected = sum(w.numel() * (3 if index else 2) for index, w in enumerate(weights))
    assert row.flop == 2 * row.data.batch_size * expected


def test_every_row_has_its_model_in_jax():
    text = "".join((PROGRAM.parent / name).read_text() for name in ("jax_units.py", "jax_networks.py"))
    found = re.findall(r'^    "(\w+) (natural|tuned)": Task', text, re.MULTILINE)
    assert {key for key, form in found if form == "natural"} == set(ROWS)
    assert {key for key, form in found if form == "tuned"} == {key for key, row in ROWS.items() if row().tuned}


def test_a_unit_has_no_products_of_matrices():
    assert ROWS["nmu"]().flop == 0


def test_the_plain_loop_and_the_trainer_take_the_steps_they_are_asked_for():
    row = ROWS["nmu"]()
    for run in (plain_loop(row), trainer(row)):
        assert 0 < run(3) < 60


def test_contestants_take_turns_and_shares_are_of_the_same_turn():
    order = []

    def contestant(name, seconds, unit="updates/s"):
        def run(steps):
            order.append(name)
            return seconds.pop(0) if seconds else 1.0

        return Here(name, run, unit=unit)

    found = [contestant("population", [1, 1, 1, 2, 4]), contestant("sgemm", [1, 1, 1, 1, 2], "GFLOP/s")]
    figures = measure("row", found, 1.0, 3, 10**9, lambda said, turns: None)
    assert order[-6:] == ["population", "sgemm"] * 3
    by_name = {(f.contestant, f.measure): f for f in figures}
    share = by_name["population", "share of sgemm"]
    assert (share.low, share.median, share.high) == (0.5, 0.5, 1.0)
    assert by_name["sgemm", "GFLOP/s"].high == 4


def test_a_row_is_measured_without_jax_and_says_so(capsys, tmp_path):
    files = [tmp_path / "a.csv", tmp_path / "a.md"]
    given = ["speed", "--rows", "nmu", *QUICK, "--csv", str(files[0]), "--markdown", str(files[1])]
    assert command.main([*given, "--jax", broken(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "jax: absent, so it is not measured (JAX has ended; got ModuleNotFoundError: jax)" in " ".join(
        printed.split()
    )
    assert max(map(len, printed.splitlines())) <= 80
    found = read(files[0])
    assert found.rows() == ["NMU, batch 128"]
    assert {f.contestant for f in found.figures} == {"PyTorch loop", "Lightning", "population"}
    assert files[1].read_text() == show.markdown(found)


def interpreter(folder, program):
    """A file to be called as an interpreter, which runs a program of its own."""
    (folder / "program.py").write_text(program)
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/program.py"\n')
    path.chmod(0o755)
    return str(path)


def broken(folder):
    return interpreter(folder, "raise ModuleNotFoundError('jax')")


def test_jax_is_measured_in_a_process_of_its_own(capsys, tmp_path):
    assert command.main(["speed", "--rows", "nmu", *QUICK, "--jax", interpreter(tmp_path, FAKE)]) == 0
    printed = capsys.readouterr().out
    assert "jax: 9.9" in printed
    assert "JAX tuned, updates/s " in printed
    assert "2,000" in printed


def test_the_other_side_speaks_jax():
    pytest.importorskip("jax")
    pytest.importorskip("optax")
    with Peer(sys.executable) as peer:
        assert {task.split()[0] for task in peer.about["tasks"]} == set(ROWS)
        order = {"row": "nmu", "form": "tuned", "members": 2, "steps": 2}
        assert peer.ask(do="prepare", **order)["compile"] > 0
        assert peer.ask(do="run", seconds=0.0, **order)["rate"] > 0


def test_figures_are_kept_without_loss(results, tmp_path):
    results.write(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv") == results


def test_what_is_shown(results):
    assert show.block(results, "NMU").splitlines()[1:5] == [
        "members                               1          64",
        "PyTorch loop, updates/s             100            ",
        "population, updates/s               300      2.00 M",
        "population, compile s                      1.2 cold",
    ]
    text = show.markdown(results)
    assert "| NMU | 100 |  | 2.00 M (P = 64) | 500,000 (P = 64) | 1.00 M (P = 64) | 20,000 | 2 | 25% |" in text
    assert "| PyTorch loop, updates/s | 100 (90 .. 120) |  |" in text
    assert "| population, compile s |  | 1.2 cold |" in text


@pytest.mark.parametrize("key", ROWS)
def test_a_block_fits_a_terminal(key):
    row = ROWS[key]()
    values = {"updates/s": [999_999.0, 500_000.0], "compile s": [123.4], "GFLOP/s": [123.45], "share of sgemm": [1.23]}
    found = [
        figure(row.title, name, n, m, values[m], "cold" * (m == "compile s"))
        for name, m in show.LINES
        for n in row.sizes
    ]
    found += [figure(row.title, name, 1, "GFLOP/s", [123.45]) for name in ("sgemm", "JAX sgemm")]
    lines = show.block(Results({}, [*found, figure(row.title, "", 0, "MFLOP an update", [1234.5])]), row.title)
    assert max(map(len, lines.splitlines())) <= 80


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--rows", "mlp_wid"], "got mlp_wid; choose some; the nearest is 'mlp_wide'"),
        (["--seconds", "0"], "--seconds must be positive; got 0.0; try 0.5"),
        (["--seconds", "nan"], "--seconds must be positive; got nan"),
        (["--repeats", "0"], "--repeats must be positive; got 0; try 5"),
        (["--csv", "none/a.csv"], "a file needs a folder that exists; got none/a.csv; create none"),
        (["--jax", "none/python"], "--jax must be a Python interpreter; got none/python; try "),
    ],
)
def test_wrong_input_is_told_in_one_line(given, message, capsys):
    assert command.main(["speed", *given]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_cold_run_is_another_process_with_an_empty_cache(monkeypatch):
    seen = {}

    def start(arguments, env):
        seen.update(arguments=arguments, cache=env[speed.CACHE])
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])

    monkeypatch.setattr(speed, "subprocess", SimpleNamespace(Popen=start))
    assert command.main(["speed", "--cold", "--rows", "nmu"]) == 7
    assert seen["arguments"][1:] == ["-m", "arith_lightning.benchmark", "speed", "--rows", "nmu"]
    assert seen["cache"] != speed.os.environ[speed.CACHE]
