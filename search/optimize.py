"""Find where arithmetic trains: `python search/optimize.py`.

One study for each file in search/spaces. Running the command again continues; the same command on another machine with
the same --storage joins in.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import optuna
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

import outcome as outcomes
import storage as studies
from arith_lightning.population.compilation import worthwhile
from objective import Result
from space import Space, available, load
from worker import BATCH, SAMPLERS, Pool, Work

CONTINUE = 130
"""Exit code of an interrupted command, as of any program ended by Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    mine = studies.owner()
    try:
        spaces = [configured(name, options) for name in options.space]
        for space in spaces:
            space.validate()
        pool = Pool(options.workers)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    opened: list[optuna.Study] = []
    try:
        for space in spaces:
            run(space, options, mine, pool, console, opened)
    except KeyboardInterrupt:
        print("interrupted; finished trials are kept, the same command continues", file=sys.stderr)
        return CONTINUE
    except BrokenProcessPool:
        print("a worker was killed; finished trials are kept, the same command continues", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        pool.stop()
        for study in opened:
            studies.reclaim(study, mine, own=True)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--space", nargs="+", default=available(), metavar="NAME", help=f"which: {', '.join(available())}"
    )
    parser.add_argument("--trials", type=int, help="trials of each study, instead of the file's")
    parser.add_argument("--seeds", type=int, help="seeds that score a trial, instead of the file's")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: one a core)")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe", help="who proposes settings (default: tpe)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the proposals")
    parser.add_argument("--storage", help="journal file or Optuna URL (default: logs/<study>/journal.log)")
    parser.add_argument(
        "--logs", type=Path, default=Path("logs"), help="where the studies' folders are (default: logs)"
    )
    options = parser.parse_args(arguments)
    for name in ("trials", "seeds", "workers"):
        number = getattr(options, name)
        if number is not None and number < 1:
            parser.error(f"--{name} must be positive; got {number}")
    return options


def configured(name: str, options: argparse.Namespace) -> Space:
    """Return a space with the command's own numbers."""
    numbers = {key: getattr(options, key) for key in ("trials", "seeds") if getattr(options, key) is not None}
    return replace(load(name), **numbers)


def run(
    space: Space,
    options: argparse.Namespace,
    mine: studies.Owner,
    pool: Pool,
    console: Console,
    opened: list[optuna.Study],
) -> None:
    """Bring one study to its number of trials, and say what came out."""
    folder = options.logs / space.name
    folder.mkdir(parents=True, exist_ok=True)
    storage = options.storage or str(folder / "journal.log")
    study = studies.open_study(space, storage)
    opened.append(study)
    steps = space.steps * (space.trials // (BATCH * options.workers) + 1)
    work = Work(space, storage, options.sampler, options.seed, mine, worthwhile(2 * steps, torch.device("cpu")))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        search(study, work, pool, progress)
        outcome = outcomes.recall(folder, len(studies.completed(study)))
        if outcome is None:
            task = progress.add_task("  best, share, map", total=outcomes.amount(space), note="")
            outcome = outcomes.conclude(study, work, pool, folder, lambda n: progress.advance(task, n))
    show(space, outcome, folder, console)


def search(study: optuna.Study, work: Work, pool: Pool, progress: Progress) -> None:
    """Let the workers fill the study; take back abandoned trials; wait for other machines."""
    task = progress.add_task(work.space.name, total=work.space.trials, note="")
    watch(study, task, progress)
    while len(studies.completed(study)) < work.space.trials:
        studies.reclaim(study, work.owner)
        if not studies.unasked(study, work.space.trials):
            time.sleep(1)
            continue
        waiting = set(pool.search(work))
        while waiting:
            done, waiting = wait(waiting, timeout=0.5)
            for future in done:
                future.result()
            watch(study, task, progress)


def watch(study: optuna.Study, task: TaskID, progress: Progress) -> None:
    """Show the state of a study."""
    finished = studies.completed(study)
    results = [Result(**trial.user_attrs["result"]) for trial in finished]
    best = max(results, key=lambda result: result.rate, default=None)
    note = f"best {best.successes}/{best.n}" if best else ""
    progress.update(task, completed=len(finished), note=note)


def show(space: Space, outcome: outcomes.Outcome, folder: Path, console: Console) -> None:
    """Print what came out of a study."""
    best = "  ".join(f"{key.rpartition('.')[2]}={_short(value)}" for key, value in outcome.best.items())
    console.print(f"  best setting:  {best}", highlight=False)
    console.print(f"  on fresh seeds:  [bold]{outcome.fresh}[/bold]".replace("[0", "\\[0").replace("[1", "\\[1"))
    console.print(f"  settings that train:  {outcome.share}".replace("[", "\\["))
    if space.axes:
        console.print(f"  map: {folder / outcomes.PICTURE}   (tensorboard --logdir {folder})")
    console.print(f"  run it: python -m arith_lightning.fit --config {folder / outcomes.BEST}\n", soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
