"""What both commands share: options, workers, and a plain answer to whatever interrupts them."""

import argparse
import os
from collections.abc import Callable
from typing import Any

import optuna
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from arith_lightning.search.pool import Lost, Pool, Processes
from arith_lightning.search.studies import StorageLostError
from arith_lightning.terminal import answered


def positive(text: str) -> int:
    """Read a positive whole number."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number; got {text}")
    return int(text)


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options about workers."""
    parser.add_argument("--workers", type=positive, default=os.cpu_count(), help="processes (default: one a core)")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="have Ray start the workers: on this machine, or on the cluster at HOST:PORT (auto finds it)",
    )


def open_pool(options: Any, lost: Lost) -> Pool:
    """Return the workers that `options.workers` and `options.ray` ask for."""
    if options.ray is None:
        return Processes(options.workers, lost)
    from arith_lightning.search.cluster import RayPool

    return RayPool(options.workers, lost, options.ray)


def tell(console: Console, reason: str) -> None:
    """Say that a worker was lost, and what becomes of it."""
    console.print(f"{reason}; its batch is trained by a new one", highlight=False)


def bars(console: Console) -> Progress:
    """Return empty progress bars."""
    whole = Column(no_wrap=True)  # where the line is short, the bar gives way
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(table_column=whole),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(table_column=whole),
        console=console,
    )


def answer(action: Callable[[], Any]) -> int:
    """Run a command; return its exit code, with one line about whatever ended it early."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return answered(action, "what is finished is kept, the same command continues", (StorageLostError,))
