"""Time a search against the loop that it replaces: `python search/benchmark.py`.

A trial is 25 seeds of an NMU, 5,000 steps each, on the product of the published single module task. Two contestants
train such trials on the same number of processes, one after the other in one run: the search as `optimize.py` runs it
(proposals, journal, batches, evaluations), and Optuna with a plain Lightning Trainer for each seed. The plain one is
timed on some seeds of its first trials, from the first import on, and multiplied up to 25.
"""

import argparse
import logging
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import optuna
import torch
from lightning import Trainer
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from arith_lightning.architectures import NMU
from arith_lightning.population.compilation import worthwhile
from arith_lightning.search import command, studies
from arith_lightning.search.declaration import load
from arith_lightning.search.pool import Pool
from arith_lightning.search.samplers import SAMPLERS
from arith_lightning.search.space import Space
from arith_lightning.search.supply import Supply
from arith_lightning.search.worker import Spent, Work, Worker

SPACE, STEPS, SEEDS = "nmu_mul", 5000, 25
RANGES = {"data.init_args.interpolation": [1.0, 2.0], "data.init_args.extrapolation": [2.0, 6.0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=command.positive, default=1024, help="trials of the search (default: 1024)")
    parser.add_argument("--batch", type=command.positive, default=64, help="trials that train together (default: 64)")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe", help="who proposes (default: tpe)")
    parser.add_argument("--steps", type=command.positive, default=STEPS, help=f"steps of a trial (default: {STEPS})")
    parser.add_argument("--plain-seeds", type=command.positive, default=2, help="seeds that a plain process trains")
    command.add_workers(parser)
    options = parser.parse_args(arguments)
    return command.answer(lambda: compare(options))


def compare(options: argparse.Namespace) -> None:
    """Run both contestants and print the table."""
    console, began = Console(), time.monotonic()
    pool = command.open_pool(options, lambda reason, worker: console.print(f"{reason}; the times are void"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            space = replace(load(SPACE), steps=options.steps, seeds=SEEDS, trials=options.workers * options.batch)
            space = replace(space, fixed=space.fixed | RANGES | {"evaluate_every": 1000})
            run(space, Path(folder) / "first", options, pool)
            first = time.monotonic() - began
            warm = replace(space, trials=options.trials)
            began = time.monotonic()
            parts = run(warm, Path(folder) / "second", options, pool)
            seconds = time.monotonic() - began
            console.print(f"search: {options.trials} trials in {seconds:.1f} s; starting the plain loop")
            jobs = [(f"{folder}/plain{k}", options.steps, options.plain_seeds) for k in range(options.workers)]
            plain = [done[1] for done in pool.each(plain_trial, jobs) if done]
    finally:
        pool.stop()
    table = Table(title=f"A trial: {SEEDS} seeds of an NMU, {options.steps:,} steps; {options.workers} processes")
    for name in ("", "trials a second", "times", "trials a CPU second", "times"):
        table.add_column(name, justify="right")
    wall, cpu = (sum(seed[k] for seed in plain) / len(plain) * SEEDS for k in (0, 1))
    included = options.trials + options.workers * options.batch
    rows = {
        "Optuna and Lightning, a Trainer for each seed": (options.workers / wall, 1 / cpu),
        f"search, {options.trials} trials": (options.trials / seconds, options.trials / sum(p.cpu for p in parts)),
        f"search, {included} trials from a cold start": (included / (first + seconds), None),
    }
    for name, (rate, efficiency) in rows.items():
        cells = [f"{efficiency:,.3g}", f"{efficiency * cpu:,.0f}"] if efficiency else ["", ""]
        table.add_row(name, f"{rate:,.3g}", f"{rate * wall / options.workers:,.0f}", *cells)
    console.print(table)
    share = sum(p.asking + p.telling for p in parts) / sum(p.whole for p in parts)
    console.print(
        f"{options.sampler} in batches of {options.batch}: asking and telling take {share:.1%} of the workers' time; "
        f"a process takes {wall:.0f} s for a plain trial; starting and compiling, {first:.0f} s",
        highlight=False,
    )


def run(space: Space, folder: Path, options: argparse.Namespace, pool: Pool) -> list[Spent]:
    """Search as `optimize.py` does, without pruning, so that every trial takes all of its steps."""
    storage = str(folder / "journal.log")
    compile = worthwhile(space.steps * (options.trials // options.batch), torch.device("cpu"))
    work = Work(space, storage, options.sampler, "none", 0, folder.name, compile, batch=options.batch)
    return [spent for spent in Supply(studies.open_study(space, storage), work, pool).fill() if spent]


class Products(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of products of numbers from U[1, 2], as a tutorial draws them."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            x = torch.rand(128, 2) + 1
            yield x, x.prod(1, keepdim=True)


def plain_trial(worker: Worker, storage: str, steps: int, seeds: int) -> tuple[float, float]:
    """Return the wall and CPU seconds that a seed of a plain study's trial takes, everything optional switched off."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    test = 4 * torch.rand(10_000, 2) + 2

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 1e-4, 1.0, log=True)
        center = trial.suggest_float("center", 0, 1)
        solved = 0
        for seed in range(seeds):
            model = NMU(learning_rate=rate, init_center=center, init_scale=0.0, seed=seed)
            Trainer(
                max_steps=steps,
                max_epochs=-1,
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            ).fit(model, DataLoader(Products(), batch_size=None))
            with torch.no_grad():
                solved += (model(test) - test.prod(1, keepdim=True)).square().mean().item() < 1e-8
        return solved / seeds

    backend = optuna.storages.journal.JournalFileBackend(storage)
    study = optuna.create_study(storage=optuna.storages.JournalStorage(backend), direction="maximize")
    began, cpu = time.perf_counter(), time.process_time()
    study.optimize(objective, n_trials=1)
    return (time.perf_counter() - began) / seeds, (time.process_time() - cpu) / seeds
