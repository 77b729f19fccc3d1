"""The command `fit` for an ordinary module: its seeds shared out over processes, one folder, one answer.

A seed that is done has its course in the folder, and is not trained again when the same command continues.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import yaml
from rich.console import Console

from arith_lightning import runs
from arith_lightning.commandline import pairs
from arith_lightning.complaint import require
from arith_lightning.ordinary import Course, answer
from arith_lightning.ordinary.training import OrdinaryCLI, train
from arith_lightning.population.team import cores
from arith_lightning.search.command import bars
from arith_lightning.search.pool import Processes
from arith_lightning.search.worker import Worker

SEEDS, COURSE = "seeds", "course.json"
"""Folder of the seeds in that of a run, and the file of one that is done."""


def command(verb: str, arguments: Sequence[str]) -> None:
    """Train what a command line asks for, and say what came out.

    Args:
        verb: `fit`; an ordinary module is neither validated nor tested by this command.
        arguments: what follows.

    Raises:
        ValueError: something is refused; a run that has trained no seed leaves no folder.
    """
    way_out = "load a checkpoint of the run's `seeds` folder with your module"
    require(verb == "fit", "an ordinary module is trained by `fit` alone", verb, way_out)
    cli = OrdinaryCLI(arguments)
    if cli.config.trainer.fast_dev_run:
        train(arguments, cli.seeds[0])
        Console().print(
            f"A dry run (trainer.fast_dev_run) of seed {cli.seeds[0]} ended without an error; nothing is kept."
        )
        return
    config = yaml.safe_load(cli.configuration())
    root = Path(cli.config.trainer.default_root_dir or runs.LOGS)
    folder = runs.folder(root, runs.name([v for k, v in pairs(arguments) if k == "config"]), cli.configuration())
    runs.begin(folder, cli.configuration())
    console = Console(stderr=True)
    try:
        courses = conduct(arguments, cli.seeds, folder, cli.config.workers or cores(), cli.success, console)
    except ValueError:
        if not any(folder.glob(f"{SEEDS}/*/{COURSE}")):
            runs.discard(folder)
        raise
    found = answer.write(courses, cli.success, config, folder)
    out = Console()
    answer.show(found, cli.success.monitor, out)
    best = folder / SEEDS / str(found["best_seed"])
    out.print(f"Everything of this run: {folder}   (the best seed: {best})", highlight=False, soft_wrap=True)
    out.print(f"Dashboard: tensorboard --logdir {quote(str(root))}", highlight=False, soft_wrap=True)


def conduct(
    arguments: Sequence[str],
    seeds: Sequence[int],
    folder: Path,
    workers: int,
    success: answer.Success,
    console: Console,
) -> list[Course]:
    """Train the seeds that are not done yet; return the courses of all, in order.

    Raises:
        ValueError: a seed cannot be trained.
    """
    done = {seed: course for seed in seeds if (course := recalled(folder, seed)) is not None}
    if done:
        console.print(f"continuing the unfinished run in {folder}: {len(done)} of {len(seeds)} seeds are done")
    missing = [seed for seed in seeds if seed not in done]
    pool = Processes(
        min(workers, len(missing)) or 1, lambda reason, _: console.print(f"{reason}; its seed is trained by a new one")
    )
    try:
        with bars(console) as progress:
            task = progress.add_task("seeds", total=len(seeds), completed=len(done), note="")
            for answered in pool.each(seed, [(list(arguments), seed, str(folder)) for seed in missing]):
                if answered is not None:
                    course = answered[1]
                    done[course.seed] = course
                solved = sum(course.success(success) for course in done.values())
                progress.update(task, completed=len(done), note=f"solved {solved}" if done else "")
    finally:
        pool.stop()
    return [done[seed] for seed in seeds]


def seed(_: Worker, arguments: Sequence[str], seed: int, folder: str) -> Course:
    """Train one seed into its folder, anew where it was begun before; what a process does."""
    own = Path(folder) / SEEDS / str(seed)
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    course = train(arguments, seed, own)
    runs.write(own / COURSE, json.dumps(course._asdict()))
    return course


def recalled(folder: Path, seed: int) -> Course | None:
    """Return the course of a seed that is done; None of any other."""
    try:
        return Course(**json.loads((folder / SEEDS / str(seed) / COURSE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
