"""The command that tries remedies, from a configuration that does not train to one that does."""

import csv
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from arith_lightning import fit, results, seeds
from arith_lightning.remedies import command, panel

ROOT = Path(__file__).parents[2]
POSTED = ROOT / "configs" / "field" / "posted" / "posted_parabola.yaml"
ROWS = f"--data.init_args.path={ROOT / 'configs' / 'field' / 'data' / 'parabola.csv'}"
SMALL = ["--seeds=8", "--workers=1", "--trainer.max_steps=600", "--evaluate_every=300"]
ARGUMENTS = ["--config", str(POSTED), ROWS, "--data.init_args.scale_inputs=standard", *SMALL]
PANEL = """
adam: {model.optimizer: adam, model.learning_rate: 0.01}
bits: {data.encode: {"${data.integers}": bits(8)}}
rate /100: {model.learning_rate: /100}
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder, and a panel of three remedies, one of which does not fit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "panel.yaml").write_text(PANEL)
    monkeypatch.setattr(panel, "PANEL", tmp_path / "panel.yaml")
    return tmp_path


def be_remedies(folder):
    """Be the command, in a folder with a panel."""
    os.chdir(folder)
    panel.PANEL = Path("panel.yaml")
    with open("said", "a") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os._exit(command.main(ARGUMENTS))


def test_what_solves_it_is_found_told_and_written_as_a_configuration(small, capsys, monkeypatch):
    assert command.main(ARGUMENTS) == 0
    said = capsys.readouterr().out
    folder = small / "logs" / "remedies" / "posted_parabola" / "version_0"
    assert "posted_parabola: solved by adam, 16/16" in " ".join(said.split())
    assert max(map(len, said.splitlines()[:6])) <= 80
    assert "no better than a constant: " in said
    with (folder / "remedies.csv").open(newline="") as file:
        rows = {row["remedy"]: row for row in csv.DictReader(file)}
    assert {name: (row["successes"], row["n"], row["did"]) for name, row in rows.items()} == {
        "adam": ("8", "8", "helped"),
        "as it is": ("0", "8", ""),
        "rate /100": ("0", "8", "did nothing"),
        "fresh seeds": ("16", "16", ""),
    }
    assert (folder / "remedies.png").stat().st_size > 10_000

    before = {path: path.stat().st_mtime_ns for path in (folder / "tries").iterdir()}
    assert command.main([*ARGUMENTS, "--minutes=0", "--markdown"]) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("| posted_parabola | 0/8 = 0.00 [0.00, 0.33] | no better than a constant, ")
    assert row.endswith(" of 8 | adam: helped | adam | 16/16 = 1.00 [0.80, 1.00] |")
    assert {path: path.stat().st_mtime_ns for path in (folder / "tries").iterdir()} == before

    monkeypatch.setattr(sys, "argv", ["fit", "--config", str(folder / "remedied.yaml")])
    assert fit.main() == 0
    summary = results.read(small / "logs" / "remedied" / "version_0")
    assert (summary["successes"], summary["n"], summary["best_seed"] in seeds.REMEDIED) == (16, 16, True)


def test_killed_it_goes_on_where_it_was(small):
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=be_remedies, args=(str(small),))
    process.start()
    tries = small / "logs" / "remedies" / "posted_parabola" / "version_0" / "tries"
    while not (tries / "adam.csv").exists():
        assert process.is_alive(), (small / "said").read_text()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (tries / "fresh_seeds.csv").exists()
    known = {name: (tries / name).stat().st_mtime_ns for name in ("as_it_is.csv", "adam.csv")}
    assert command.main(ARGUMENTS) == 0
    assert {name: (tries / name).stat().st_mtime_ns for name in known} == known
    assert len((tries / "fresh_seeds.csv").read_text().splitlines()) == 17


def test_several_are_combined_where_one_is_not_enough(small, capsys):
    (small / "panel.yaml").write_text("""
wider: {model.width: x4}
adam: {model.optimizer: adam, model.learning_rate: 0.01}
one layer: {model.depth: 1}
""")
    xor = f"path: {ROOT / 'configs' / 'field' / 'data' / 'xor.csv'}, classes: true, test_share: 0"
    (small / "xor.yaml").write_text(f"""
evaluate_every: 100
trainer: {{max_steps: 300}}
model: {{class_path: MLP, init_args: {{depth: 0, optimizer: sgd, learning_rate: 0.01, head: softmax, loss: logits}}}}
data: {{class_path: Table, init_args: {{{xor}}}}}
""")
    assert command.main(["--config=xor.yaml", "--seeds=4", "--workers=1"]) == 0
    assert "xor: solved by one layer + adam, 8/8" in " ".join(capsys.readouterr().out.split())


def test_where_every_seed_succeeds_nothing_is_tried(small, capsys):
    easy = [*ARGUMENTS, "--model.init_args.optimizer=adam", "--model.init_args.learning_rate=0.01"]
    assert command.main(easy) == 0
    assert "every seed solves it as it is, 8/8" in " ".join(capsys.readouterr().out.split())
    tries = small / "logs" / "remedies" / "posted_parabola" / "version_0" / "tries"
    assert {path.name for path in tries.iterdir()} == {"as_it_is.yaml", "as_it_is.json", "as_it_is.csv"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "nothing.yaml"], "a configuration must be a file that can be read; got nothing.yaml"),
        (["--model.init_args.learning_rat=1"], "unknown key 'learning_rat'; the nearest is"),
        (["--minutes=0"], "must be trained within half of --minutes; got step 0 of 600; give it more"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing_tried(small, capsys, arguments, message):
    assert command.main([*ARGUMENTS, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(small.glob("logs/remedies/*/*/tries/*"))


@pytest.mark.parametrize("arguments", [["--minutes=-1"], ["--seeds=0"], ["--workers=none"]])
def test_numbers_that_are_none_are_refused(small, capsys, arguments):
    with pytest.raises(SystemExit):
        command.main([*ARGUMENTS, *arguments])
    assert "must be a" in capsys.readouterr().err
