"""What a terminal of 80 columns shows of a run."""

import io
import re
import time
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from arith_lightning.callbacks import PopulationProgress
from arith_lightning.callbacks.harmless import harmless
from arith_lightning.callbacks.progress import brief

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def drawn(terminal, members=6400, steps=300_000, during=lambda: None):
    """Return the lines that a run of one evaluation leaves."""
    output = io.StringIO()
    progress = PopulationProgress(Console(file=output, force_terminal=terminal, width=80))
    trainer = SimpleNamespace(global_step=0, max_steps=steps)
    population = SimpleNamespace(
        seeds=range(members), settings=[{}], compiled=True, live=range(members), success=torch.ones(members).bool()
    )
    progress.on_train_start(trainer, population)
    trainer.global_step, progress.seen = steps, (time.perf_counter() - 60, 0)
    during()
    progress.on_validation_end(trainer, population)
    progress.on_train_end(trainer, population)
    return [CONTROL.sub("", line) for line in re.split(r"[\r\n]+", output.getvalue()) if CONTROL.sub("", line).strip()]


def test_a_bar_fits_and_nothing_of_it_is_cut():
    first, *bars = drawn(True)
    assert first == "6,400 networks train side by side, one a seed; an update is a step of one"
    assert all(len(line) <= 80 for line in bars)
    assert any(bar.startswith("compiling, then training ") and "0/300000 0:00:00" in bar for bar in bars)
    assert "300000/300000" in bars[-1]
    assert re.search(r"solved 6400 of 6400, 3[12].\dM updates/s", bars[-1])


def test_where_there_is_no_terminal_lines_stand_for_the_bar():
    *_, last = drawn(False)
    assert re.fullmatch(r"step 300,000 of 300,000: solved 6400 of 6400, [\d.]+[kM]? updates/s", last)


def test_what_is_told_while_a_bar_is_drawn_does_not_tear_it(monkeypatch):
    monkeypatch.setattr("arith_lightning.callbacks.harmless._told", set())

    def fail():
        with harmless("the figure"):
            raise RuntimeError("no ink")

    lines = drawn(True, during=fail)
    assert "the figure is left out (RuntimeError: no ink); the run goes on" in [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("number", "text"), [(870.4, "870"), (9_999, "9999"), (12_345, "12k"), (999_400, "999k"), (3_440_000, "3.4M")]
)
def test_a_number_is_told_in_few_characters(number, text):
    assert brief(number) == text
