"""Try what makes a configuration train: `python -m arith_lightning.remedies --config configs/field/own_larger.yaml`.

It is trained as it is, with each remedy of the panel that fits, on the same seeds, then with the best few together; the
winner is measured on fresh seeds and written as a configuration that `fit` runs. Any other option is one of `fit`, such
as --model.init_args.learning_rate 0.1. Interrupted, the same command goes on; given again, it tries what was left.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from arith_lightning import fitting, reading
from arith_lightning.config import experiment
from arith_lightning.population.team import cores
from arith_lightning.remedies import told
from arith_lightning.remedies.course import Course
from arith_lightning.search import command
from arith_lightning.search.pool import Processes
from arith_lightning.terminal import answered


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    fitting.quiet()
    options, overrides = parse(arguments)
    return answered(lambda: run(options, overrides), "finished tries are kept, the same command continues")


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Return the command's own options, and those of `fit`."""
    parser = argparse.ArgumentParser(
        prog="python -m arith_lightning.remedies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, nargs="+", required=True, help="configurations, one after the other")
    parser.add_argument("--seeds", type=command.positive, default=16, help="seeds of each try (default: 16)")
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="for each configuration (default: 5); 0 shows what is known"
    )
    parser.add_argument(
        "--workers", type=command.positive, default=cores(), help="tries at a time (default: all cores)"
    )
    parser.add_argument("--markdown", action="store_true", help="print one row for each configuration, as Markdown")
    given = list(sys.argv[1:] if arguments is None else arguments)
    spaced = [each for each in given if each.startswith("--") and " " in each]  # argparse takes them for values
    options, overrides = parser.parse_known_args([each for each in given if each not in spaced])
    overrides += spaced
    if not 0 <= options.minutes < float("inf"):
        parser.error(f"--minutes must be a number from 0 on; got {options.minutes}; try 5")
    return options, overrides


def run(options: argparse.Namespace, overrides: list[str]) -> None:
    """Try remedies of every configuration, and say what came out."""
    built = [(reading.stem(path), experiment(["--config", str(path), *overrides])) for path in options.config]
    courses, console = [], Console(stderr=True)
    pool = Processes(options.workers, lambda reason, worker: command.tell(console, reason))
    try:
        for name, base in built:
            courses.append(Course(name, base, options.seeds, 60 * options.minutes))
            with command.bars(console) as progress:
                courses[-1].run(pool, progress)
            told.write(courses[-1])
            if not options.markdown:
                told.show(courses[-1], Console())
    finally:
        pool.stop()
    if options.markdown:
        print(told.markdown(courses))
