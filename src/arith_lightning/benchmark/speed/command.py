"""Measure what a population is worth: `python -m arith_lightning.benchmark speed`.

Model updates (optimizer steps summed over members) in a CPU second on one thread: a population, a plain PyTorch loop, a
plain Lightning Trainer, and JAX as a researcher writes it and laid out by hand, on the same model, task and batch size.
Contestants take turns; figures are medians. JAX runs in a process of its own and is left out where it is not installed
(`pip install -e '.[peers]'`).
"""

import argparse
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from arith_lightning.benchmark.speed import figures, show
from arith_lightning.benchmark.speed.contestants import contestants
from arith_lightning.benchmark.speed.peer import Peer
from arith_lightning.benchmark.speed.rows import ROWS, Row
from arith_lightning.benchmark.speed.turns import PREPARING, measure
from arith_lightning.complaint import nearest, require
from arith_lightning.population.compilation import CACHE, worthwhile
from arith_lightning.terminal import INTERRUPTED, answered

NAME = "python -m arith_lightning.benchmark speed"
STEPS = 10_000
"""Steps of the runs that are meant, by which it is decided whether populations are compiled."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options, code = parse(given), 0

    def act() -> None:
        nonlocal code
        check(options)
        if options.cold:
            code = afresh([argument for argument in given if argument != "--cold"])
        else:
            speed(options)

    return answered(act, "what was printed stands, files hold the rows that were finished") or code


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__, allow_abbrev=False)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU seconds of a turn (default: 0.5)")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each contestant (default: 5)")
    parser.add_argument("--cold", action="store_true", help="compile anew, in a fresh process, and keep nothing of it")
    parser.add_argument("--jax", metavar="PYTHON", default=sys.executable, help="interpreter with jax and optax")
    parser.add_argument("--csv", type=Path, help="file for all figures")
    parser.add_argument("--markdown", type=Path, help="file for the same as tables")
    return parser.parse_args(arguments)


def check(options: argparse.Namespace) -> None:
    """Raise a `ValueError` unless the options can be followed."""
    for row in options.rows:
        require(row in ROWS, f"--rows takes {', '.join(ROWS)}", row, f"choose some{nearest(row, ROWS)}")
    require(0 < options.seconds < math.inf, "--seconds must be positive", options.seconds, "try 0.5")
    require(options.repeats >= 1, "--repeats must be positive", options.repeats, "try 5")
    require(
        shutil.which(options.jax) is not None,
        "--jax must be a Python interpreter",
        options.jax,
        f"try {sys.executable}",
    )
    for path in (options.csv, options.markdown):
        if path is not None:
            require(path.parent.is_dir(), "a file needs a folder that exists", path, f"create {path.parent}")
            path.open("a").close()  # now, not after minutes


def afresh(arguments: list[str]) -> int:
    """Run the command in another process with an empty cache of compiled steps; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="arith_lightning_", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "arith_lightning.benchmark", "speed", *arguments]
        with subprocess.Popen(command, env=os.environ | {CACHE: folder, "OMP_NUM_THREADS": "1"}) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:  # from a terminal, it has reached the process, too
                for end in (process.terminate, process.kill):
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(5)
                    end()
                return INTERRUPTED


def speed(options: argparse.Namespace) -> None:
    """Time the chosen rows; print each when it is finished, and write the files."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    results = figures.Results(figures.machine())
    compile = worthwhile(STEPS, torch.device("cpu"))
    rows = {key: ROWS[key]() for key in dict.fromkeys(options.rows)}
    with ExitStack() as stack:
        peer = join(options.jax, results.about, stack)
        print(show.about(results), flush=True)
        bar = stack.enter_context(progress())
        left = bar.add_task("", total=sum(turns(row, peer, options.repeats) for row in rows.values()))
        for key, row in rows.items():
            flop = row.flop
            found = contestants(row, key, flop, peer, compile)
            results.figures += measure(
                row.title,
                found,
                options.seconds,
                options.repeats,
                flop,
                lambda said, turns: bar.update(left, description=said, advance=turns),
            )
            if peer:
                peer.ask(do="forget")
            write(results, options)
            bar.stop()
            print(show.block(results, row.title), flush=True)
            bar.start()


def join(python: str, about: dict[str, str], stack: ExitStack) -> Peer | None:
    """Return JAX, and note its version; None, and a note why, where there is none."""
    try:
        peer = stack.enter_context(Peer(python))
    except ValueError as error:
        about["jax"] = f"absent, so it is not measured ({error}); pip install -e '.[peers]' or name one with --jax"
        return None
    about["jax"], about["optax"] = peer.about["jax"], peer.about["optax"]
    return peer


def turns(row: Row, peer: Peer | None, repeats: int) -> int:
    """Return how many turns' worth of time a row takes."""
    lines = 1 + (1 + row.tuned if peer else 0)
    products = (1 + bool(peer)) * bool(row.flop)
    return (PREPARING + repeats) * (len(row.sizes) * lines + 2 + products)


def progress() -> Progress:
    """Return the bar over all turns."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(16),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def write(results: figures.Results, options: argparse.Namespace) -> None:
    """Write the files that were asked for."""
    if options.csv:
        results.write(options.csv)
    if options.markdown:
        options.markdown.write_text(show.markdown(results))
