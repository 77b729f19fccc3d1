"""Count what a search takes to the first setting that trains: `python search/efficiency.py parity --steps 70`.

Many studies of one space for each sampler, every study alone in a process, trial by trial in batches as in
`optimize.py` but without pruning, until one setting succeeds on 95 % of its seeds. Medians over studies.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from arith_lightning.search import command, samplers
from arith_lightning.search.declaration import load
from arith_lightning.search.objective import value
from arith_lightning.search.space import Space
from arith_lightning.search.worker import BATCH, Work, Worker

ENOUGH = 0.95
"""Share of the seeds that must succeed."""


class Found(NamedTuple):
    """What a study took."""

    trials: int
    seconds: float
    succeeded: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", metavar="SPACE", help="name or file")
    parser.add_argument("--samplers", nargs="+", choices=samplers.SAMPLERS, default=["random", "tpe", "cmaes"])
    parser.add_argument("--studies", type=command.positive, default=20, help="studies of each sampler (default: 20)")
    parser.add_argument("--trials", type=command.positive, default=256, help="where a study gives up (default: 256)")
    parser.add_argument("--steps", type=command.positive, help="steps of a trial, instead of the file's")
    parser.add_argument("--batch", type=command.positive, default=BATCH, help="trials that train together")
    command.add_workers(parser)
    options = parser.parse_args(arguments)
    return command.answer(lambda: compare(options))


def compare(options: argparse.Namespace) -> None:
    """Run all studies and print the table."""
    for name in options.samplers:
        samplers.require(name)
    space, console = load(options.space), Console()
    space = replace(space, steps=options.steps or space.steps, trials=options.trials)
    space.validate()
    # sampler by sampler in turn, so that all meet the same load of the machine
    jobs = [(space, name, k, options.batch) for k in range(options.studies) for name in options.samplers]
    found: dict[str, list[Found]] = {name: [] for name in options.samplers}
    pool = command.open_pool(options, lambda reason, worker: console.print(f"{reason}; the times are void"))
    try:
        with command.bars(console) as progress:
            task = progress.add_task(space.name, total=len(jobs), note="studies")
            for done in pool.each(study, jobs):
                if done is not None:
                    found[jobs[done[0]][1]].append(done[1])
                    progress.advance(task)
    finally:
        pool.stop()
    table = Table(
        title=f"{space.name}, {space.steps:,} steps: to the first setting with {ENOUGH:.0%} of {space.seeds} seeds"
    )
    for column in ("sampler", "trials: median [quartiles]", "seconds: median", "studies that found one"):
        table.add_column(column, justify="right")
    for name, runs in found.items():
        low, middle, high = quartiles([run.trials for run in runs])
        seconds, succeeded = statistics.median(run.seconds for run in runs), sum(run.succeeded for run in runs)
        table.add_row(name, f"{middle:g} \\[{low:g}, {high:g}]", f"{seconds:.1f}", f"{succeeded}/{len(runs)}")
    console.print(table)


def quartiles(counts: Sequence[int]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(counts) == 1:
        return (float(counts[0]),) * 3
    low, middle, high = statistics.quantiles(counts, method="inclusive")
    return low, middle, high


def study(worker: Worker, space: Space, sampler: str, seed: int, batch: int) -> Found:
    """Search until a setting succeeds; the trial that did counts, not the rest of its batch."""
    with tempfile.TemporaryDirectory() as folder:
        work = Work(space, str(Path(folder) / "journal.log"), sampler, "none", seed, folder, False)
        began = time.perf_counter()
        for asked in range(0, space.trials, batch):
            trials = worker.ask(work, min(batch, space.trials - asked))
            results = worker.judge(work, trials)
            for place, ((trial, _), result) in enumerate(zip(trials, results, strict=True), 1):
                worker.tell(trial, result, value(result, space.steps))
                if result.rate >= ENOUGH:
                    return Found(asked + place, time.perf_counter() - began, True)
        return Found(space.trials, time.perf_counter() - began, False)
