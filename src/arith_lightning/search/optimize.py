"""Find where arithmetic trains: `python search/optimize.py`.

One study for each space, multiplication and parity unless --space names others. Running the command again continues;
the same command on another machine with the same --storage joins in.
"""

import argparse
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import optuna
import torch
from rich.console import Console
from rich.progress import Progress, TaskID

from arith_lightning.population.compilation import worthwhile
from arith_lightning.search import command, samplers, studies
from arith_lightning.search import outcome as outcomes
from arith_lightning.search.declaration import available, load
from arith_lightning.search.objective import Result
from arith_lightning.search.picture import PICTURE
from arith_lightning.search.pool import Pool
from arith_lightning.search.pruning import PRUNERS
from arith_lightning.search.space import Space
from arith_lightning.search.worker import BATCH, Work, search

PAIR = ("multiplication", "parity")
"""Spaces that are searched when none is named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse(arguments)
    return command.answer(lambda: Search(options).run())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(available())
    parser.add_argument("--space", nargs="+", default=PAIR, metavar="NAME", help=f"names or files; there are {names}")
    parser.add_argument("--trials", type=command.positive, help="trials of each study, instead of the file's")
    parser.add_argument("--seeds", type=command.positive, help="seeds that score a trial, instead of the file's")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop asking for trials of a study after these")
    parser.add_argument("--sampler", choices=samplers.SAMPLERS, default="tpe", help="who proposes (default: tpe)")
    parser.add_argument("--pruner", choices=PRUNERS, default="halving", help="who drops (default: halving)")
    parser.add_argument(
        "--batch", type=command.positive, default=BATCH, help=f"trials that train together (default: {BATCH})"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the proposals")
    parser.add_argument("--storage", help="journal file, grpc://host:port or database URL")
    parser.add_argument("--logs", type=Path, default=Path("logs"), help="where the studies' folders are")
    command.add_workers(parser)
    options = parser.parse_args(arguments)
    if not options.minutes > 0:
        parser.error(f"--minutes must be positive; got {options.minutes}")
    return options


class Search:
    """The studies of one command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.console, self.owner = options, Console(), studies.owner()
        self.current: tuple[Space, str] | None = None

    def run(self) -> None:
        """Bring every study to its number of trials, and say what came out."""
        samplers.require(self.options.sampler)
        spaces = [configured(name, self.options) for name in self.options.space]
        for space in spaces:
            space.validate()
        pool = command.open_pool(self.options, self.lost)
        try:
            for space in spaces:
                self.conduct(space, pool)
        finally:
            pool.stop()
            with suppress(Exception):  # a storage that is gone keeps them until the next start
                self.reclaim()

    def conduct(self, space: Space, pool: Pool) -> None:
        """Bring one study to its number of trials, and say what came out."""
        options, folder = self.options, self.options.logs / space.name
        folder.mkdir(parents=True, exist_ok=True)
        storage = options.storage or str(folder / "journal.log")
        with studies.reached(storage):
            study = studies.open_study(space, storage)
        self.current = space, storage
        steps = space.steps * (space.trials // (options.batch * options.workers) + 1)
        compile, deadline = worthwhile(2 * steps, torch.device("cpu")), time.time() + 60 * options.minutes
        work = Work(
            space, storage, options.sampler, options.pruner, options.seed, self.owner, compile, deadline, options.batch
        )
        with command.bars(self.console) as progress:
            self.fill(study, work, pool, progress)
            outcome = outcomes.recall(folder, len(studies.finished(study)))
            if outcome is None and studies.completed(study):
                task = progress.add_task("  best, share, map", total=outcomes.amount(space), note="")
                with studies.reached(storage):
                    outcome = outcomes.conclude(study, work, pool, folder, lambda n: progress.advance(task, n))
        if outcome is None:
            raise ValueError(f"{space.name}: no trial was finished; give it more --minutes than {options.minutes:g}")
        self.current = None
        show(space, outcome, folder, self.console)

    def fill(self, study: optuna.Study, work: Work, pool: Pool, progress: Progress) -> None:
        """Let the workers fill the study; take back abandoned trials; wait for other machines."""
        task = progress.add_task(work.space.name, total=work.space.trials, note="")
        while True:
            try:
                with studies.reached(work.storage):
                    watch(study, task, progress)
                    if len(studies.finished(study)) >= work.space.trials or time.time() > work.deadline:
                        return
                    studies.reclaim(study, work.owner)
                    if not studies.unasked(study, work.space.trials):
                        time.sleep(1)
                        continue
                    for done in pool.each(search, [(work, index) for index in range(pool.workers)]):
                        if done is None:
                            watch(study, task, progress)
            except studies.StorageLostError as error:
                pool.restart(str(error))

    def lost(self, reason: str) -> None:
        """Queue the trials of lost workers again."""
        self.console.print(f"{reason}; going on with new workers", highlight=False)
        if self.current:
            studies.await_storage(self.current[1])
        self.reclaim()

    def reclaim(self) -> None:
        """Take back the trials of workers that are gone."""
        if self.current:
            space, storage = self.current
            studies.reclaim(studies.open_study(space, storage), self.owner, own=True)


def configured(name: str, options: argparse.Namespace) -> Space:
    """Return a space with the command's own numbers."""
    numbers = {key: getattr(options, key) for key in ("trials", "seeds") if getattr(options, key) is not None}
    return replace(load(name), **numbers)


def watch(study: optuna.Study, task: TaskID, progress: Progress) -> None:
    """Show the state of a study."""
    finished = studies.finished(study)
    results = [Result(**trial.user_attrs["result"]) for trial in finished]
    best = max(results, key=lambda result: result.rate, default=None)
    pruned = sum(result.pruned_at is not None for result in results)
    note = f"best {best.successes}/{best.n}, {pruned} pruned" if best else ""
    progress.update(task, completed=len(finished), note=note)


def show(space: Space, outcome: outcomes.Outcome, folder: Path, console: Console) -> None:
    """Print what came out of a study."""
    best = "  ".join(f"{key.rpartition('.')[2]}={_short(value)}" for key, value in outcome.best.items())
    console.print(f"  best setting:  {best}", highlight=False)
    console.print(f"  on fresh seeds:  [bold]{outcome.fresh}[/bold]".replace("[0", "\\[0").replace("[1", "\\[1"))
    console.print(f"  settings that train:  {outcome.share}".replace("[", "\\["))
    if space.axes:
        console.print(f"  map: {folder / PICTURE}   (tensorboard --logdir {folder})")
    console.print(f"  run it: python -m arith_lightning.fit --config {folder / outcomes.BEST}\n", soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
