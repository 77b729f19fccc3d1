"""Find where arithmetic trains: `python search/optimize.py`.

One study for each space (for each value of what a space asks about), multiplication and parity unless --space names
others. Running the command again continues; the same command on another machine with the same --storage joins in.
"""

import argparse
import math
import os
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from optuna.study import Study
from optuna.trial import FrozenTrial
from rich.console import Console
from rich.progress import Progress

from arith_lightning.population.compilation import worthwhile
from arith_lightning.search import answer, command, samplers, studies
from arith_lightning.search.declaration import load
from arith_lightning.search.objective import Result
from arith_lightning.search.outcome import (
    BEST,
    EXTRAS,
    LONG,
    LONGER,
    Advance,
    LateError,
    Outcome,
    amount,
    conclude,
    explore,
    recall,
)
from arith_lightning.search.picture import PICTURE
from arith_lightning.search.pool import Pool
from arith_lightning.search.pruning import PRUNERS
from arith_lightning.search.space import Space
from arith_lightning.search.supply import Supply
from arith_lightning.search.worker import BATCH, Work
from arith_lightning.shipped import available

PAIR = ("multiplication", "parity")
"""Spaces that are searched when none is named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = vars(parse(arguments))
    names, trials, seeds = (options.pop(key) for key in ("space", "trials", "seeds"))
    return command.answer(lambda: Search(**options).run([configured(name, trials, seeds) for name in names]))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(available())
    parser.add_argument("--space", nargs="+", default=PAIR, metavar="NAME", help=f"names or files; there are {names}")
    parser.add_argument("--trials", type=command.positive, help="trials of each study, instead of the file's")
    parser.add_argument("--seeds", type=command.positive, help="seeds that score a trial, instead of the file's")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="for each space: no trials, share, map after it"
    )
    parser.add_argument("--without", nargs="+", choices=EXTRAS, default=(), help="leave out what follows the answer")
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


@dataclass
class Search:
    """Studies, one after the other, on the same workers; the arguments are the command's options.

    Called from a script, it belongs below `if __name__ == "__main__":`, since workers import the script.
    """

    sampler: str = "tpe"
    pruner: str = "halving"
    batch: int = BATCH
    seed: int = 0
    minutes: float = math.inf
    storage: str | None = None
    logs: Path = Path("logs")
    workers: int = os.cpu_count() or 1
    ray: str | None = None
    without: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.console, self.token = Console(), uuid.uuid4().hex
        self.supply: Supply | None = None

    def run(self, spaces: Sequence[Space]) -> list[Outcome]:
        """Bring the studies of every space to their number of trials; say and return what came out of each.

        Raises:
            ValueError: a space, the storage or an option is refused.
        """
        for space in spaces:
            samplers.require(self.sampler, self.stored(space))
            space.validate()
        pool = command.open_pool(self, self.lost)
        try:
            return [outcome for space in spaces for outcome in self.ask(space, pool)]
        finally:
            pool.stop()
            with suppress(Exception):  # a storage that is gone keeps them until the next start
                if self.supply:
                    studies.reclaim(self.supply.study, [(self.token, worker) for worker in range(self.workers)])

    def ask(self, space: Space, pool: Pool) -> list[Outcome]:
        """Answer a space: by one study, or by one for each value that is asked about."""
        parts, began = space.parts(), time.time()
        ends = [began + 60 * self.minutes * (k + 1) / len(parts) for k in range(len(parts))]
        outcomes = [self.conduct(part, pool, end) for part, end in zip(parts, ends, strict=True)]
        if space.asked:
            told = [answer.Part(part, outcome) for part, outcome in zip(parts, outcomes, strict=True)]
            answer.tell(space, told, self.logs / space.name, self.console)
        return outcomes

    def stored(self, space: Space) -> str:
        """Return where the study of a space is."""
        return str(self.logs / space.name / "journal.log") if self.storage is None else self.storage

    def conduct(self, space: Space, pool: Pool, deadline: float) -> Outcome:
        """Bring one study to its number of trials, in time; say and return what came out."""
        folder, storage = self.logs / space.name, self.stored(space)
        folder.mkdir(parents=True, exist_ok=True)
        with studies.reached(storage):
            study = studies.open_study(space, storage)
        steps = space.steps * (space.trials // (self.batch * self.workers) + 1)
        work = Work(
            space=space,
            storage=storage,
            sampler=self.sampler,
            pruner=self.pruner,
            seed=self.seed,
            command=self.token,
            compile=worthwhile(2 * steps, torch.device("cpu")),
            deadline=deadline,
            batch=self.batch,
        )
        self.supply = Supply(study, work, pool)
        with command.bars(self.console) as progress:
            self.fill(self.supply, progress)
            with studies.reached(storage):
                outcome = recall(folder, study, space)
                if outcome is not None or studies.completed(study):
                    left = amount(space, outcome, self.without)
                    task = progress.add_task("  best, share, map", total=left, note="")
                    outcome = self.tail(study, work, pool, folder, outcome, lambda n: progress.advance(task, n))
        if outcome is None:
            raise ValueError(f"{space.name}: no trial was finished; give it more --minutes than {self.minutes:g}")
        show(space, outcome, folder, self.console)
        return outcome

    def tail(
        self, study: Study, work: Work, pool: Pool, folder: Path, known: Outcome | None, advance: Advance
    ) -> Outcome:
        """Return a study's outcome: what is known of it, and what it lacks as far as there is time."""
        outcome = known or conclude(study, work, pool, folder, advance)
        try:
            return explore(study, work, pool, folder, outcome, self.without, advance)
        except LateError:
            self.console.print(f"  {work.space.name}: not in time: its share, its map; the same command adds them")
            return outcome

    def fill(self, supply: Supply, progress: Progress) -> None:
        """Let the workers fill a study, and show how far it has come."""
        task, said = progress.add_task(supply.work.space.name, total=supply.work.space.trials, note=""), ""
        for _ in supply.fill():
            progress.update(task, completed=len(supply.finished), note=supply.waiting or note(supply.finished))
            if (whom := supply.waiting.partition(", since")[0]) != said:
                said = whom
                if whom:
                    self.console.print(f"{whom}; they are done, or taken back, within minutes", highlight=False)
        progress.update(task, completed=len(supply.finished), note=note(supply.finished))

    def lost(self, reason: str, worker: int) -> None:
        """Queue the trials of a lost worker again."""
        command.tell(self.console, reason)
        if self.supply:
            self.supply.take_back([worker])


def configured(name: str, trials: int | None, seeds: int | None) -> Space:
    """Return a space with the command's own numbers, where they are given."""
    space = load(name)
    return replace(space, trials=trials or space.trials, seeds=seeds or space.seeds)


def note(finished: Sequence[FrozenTrial]) -> str:
    """Say what the trials of a study have shown so far."""
    results = [Result(**trial.user_attrs["result"]) for trial in finished if "result" in trial.user_attrs]
    if not results:
        return ""
    best = max(results, key=lambda result: result.rate)
    return f"best {best.successes}/{best.n}, {sum(result.pruned_at is not None for result in results)} pruned"


def show(space: Space, outcome: Outcome, folder: Path, console: Console) -> None:
    """Print what came out of a study."""
    best = "  ".join(f"{key.rpartition('.')[2]}={_short(value)}" for key, value in outcome.best.items())
    console.print(f"  best setting:  {best}", highlight=False)
    console.print(f"  on fresh seeds:  [bold]{outcome.fresh}[/bold]".replace("[0", "\\[0").replace("[1", "\\[1"))
    if outcome.longer:
        console.print(
            f"  with {LONGER} times the steps:  {outcome.longer} ({folder / LONG})", markup=False, soft_wrap=True
        )
    if outcome.share:
        console.print(f"  settings that train:  {outcome.share}".replace("[", "\\["))
    if where := answer.windows(outcome):
        console.print(f"  they lie within:  {where}", highlight=False)
    if (folder / PICTURE).exists():
        console.print(f"  map: {folder / PICTURE}   (tensorboard --logdir {folder})", soft_wrap=True)
    console.print(f"  run it: python -m arith_lightning.fit --config {folder / BEST}\n", soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
