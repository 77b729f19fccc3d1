"""Re-measure a published table: `python -m arith_lightning.benchmark --config configs/tables/single_module.yaml`.

Every cell is a population, several cells train side by side. Interrupted, the same command goes on: finished cells are
recalled, unfinished ones continue from their last checkpoint.

How fast populations train, beside plain loops and JAX: `python -m arith_lightning.benchmark speed`.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from arith_lightning.benchmark.speed import command as speed
from arith_lightning.benchmark.table import BenchmarkTable, Cell
from arith_lightning.terminal import answered
from arith_lightning.trained import Trained, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["speed"]:
        return speed.main(given[1:])
    options = parse(given)
    return answered(lambda: train(options), "finished cells are kept, the same command continues")


def train(options: argparse.Namespace) -> None:
    """Train the chosen cells and print their rates."""
    start = time.perf_counter()
    table = BenchmarkTable(options.config, options.quick)
    cells = table.chosen(options.units, options.operations)
    table.prepare(cells)
    found = prepare([cell.run for cell in cells], options.quick, options.workers, Console(stderr=True))
    trained = {cell: found[cell.run] for cell in cells}
    path = table.write(trained)
    show(trained, Console())
    print(f"{path}   ({time.perf_counter() - start:.0f} s)")
    print(f"python -m arith_lightning.report table --config {options.config}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(prog="python -m arith_lightning.benchmark", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a file of configs/tables")
    parser.add_argument("--units", nargs="+", default=[], help="only these units")
    parser.add_argument("--operations", nargs="+", default=[], help="only these operations")
    parser.add_argument(
        "--quick", action="store_true", help="few seeds and steps: shows that it works, answers nothing"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="cells at a time (default: one a core)")
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error(f"--workers must be positive; got {options.workers}; try 1")
    return options


def show(trained: dict[Cell, Trained], console: Console) -> None:
    """Print the rate of every cell."""
    table = Table("unit", "operation", "runs that succeed", "median solved-at step")
    for cell, result in trained.items():
        step = result.summary["solved_at_step_median"]
        asked = f"{cell.operation} {cell.variant}".strip()
        table.add_row(cell.unit, asked, str(result.rate), "never" if step is None else f"{step:,.0f}")
    console.print(table)
