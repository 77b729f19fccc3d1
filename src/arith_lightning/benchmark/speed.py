"""Measure what a population is worth: `python -m arith_lightning.benchmark.speed`.

Model updates a second (optimizer steps summed over members) on one thread, for the population, a plain PyTorch loop
and a plain Lightning Trainer, on the same model, task and batch size, side by side in one run.
"""

import argparse
import copy
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import torch
from lightning import LightningModule, Trainer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from arith_lightning.architectures import MLP, NAC, NALU, NMU, ArithmeticModule
from arith_lightning.data import ArithmeticDataModule, SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.population.compilation import worthwhile

SIZES = (1, 64, 225, 1024)
REPEATS = 5
SECONDS = 0.5
"""Length of one repeat; figures are medians over repeats, which alternate between the contestants."""


def contenders() -> dict[str, tuple[ArithmeticModule, ArithmeticDataModule]]:
    """Return the models timed and their task, all with batch size 128 and Adam."""
    mul, add = SingleModuleTask(operation="mul"), SingleModuleTask(operation="add")
    return {
        "NMU": (NMU(penalty_weight=10.0, penalty_start=20_000, penalty_end=35_000), mul),
        "NALU": (NALU(), mul),
        "NAC": (NAC(), add),
        "MLP": (MLP(depth=2, width=32, activation="tanh"), mul),
    }


def plain_loop(module: ArithmeticModule, data: ArithmeticDataModule) -> Callable[[int], None]:
    """Return a function that takes n steps of one model as a tutorial would: torch's generator, autograd and Adam."""
    module = copy.deepcopy(module)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    operation = data.operation.function  # type: ignore[attr-defined]
    bounded = [(module.get_parameter(name), interval) for name, interval in module.bounds().items()]
    layers, weight = list(module.layers().values()), module.penalty_weight.item()

    def run(steps: int) -> None:
        for _ in range(steps):
            x = torch.rand(data.batch_size, data.in_features) + 1
            y = operation(x[:, :1], x[:, 1:])
            loss = torch.nn.functional.mse_loss(module.network(x), y)
            if weight:
                loss = loss + weight * sum(layer.penalty() for layer in layers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for parameter, (low, high) in bounded:
                    parameter.clamp_(low, high)

    return run


def trainer(module: LightningModule, data: ArithmeticDataModule | None) -> Callable[[int], None]:
    """Return a function that trains for n steps in a Trainer with everything optional switched off."""

    def run(steps: int) -> None:
        Trainer(
            max_steps=steps,
            max_epochs=-1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
        ).fit(copy.copy(module) if data is None else copy.deepcopy(module), data)

    return run


def population(module: ArithmeticModule, data: ArithmeticDataModule, size: int, compile: bool) -> Callable[[int], None]:
    """Return a function that takes n steps of a population, each member with a stream of its own."""
    members = Population(module, data, seeds=range(size))
    state, columns, dynamics = members.live.state, members.live.columns, members.dynamics

    def run(steps: int) -> None:
        dynamics.run(state, columns, 0, steps, compile)

    return run


def rates(runs: dict[str, tuple[Callable[[int], None], int]], progress: Progress) -> dict[str, float]:
    """Return updates per CPU second, median over repeats, of each run: a function of steps and its number of models."""
    steps = {}
    task = progress.add_task("warming up and compiling", total=len(runs) * (REPEATS + 1))
    for name, (run, _) in runs.items():
        run(16)
        start = time.perf_counter()
        run(104)
        steps[name] = max(8, int(104 * SECONDS / (time.perf_counter() - start)) // 8 * 8)
        progress.advance(task)
    measured: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, (run, models) in runs.items():
            progress.update(task, description=name)
            start = time.process_time()
            run(steps[name])
            measured[name].append(models * steps[name] / (time.process_time() - start))
            progress.advance(task)
    progress.remove_task(task)
    return {name: statistics.median(values) for name, values in measured.items()}


def speed(console: Console) -> None:
    """Time every contender at every size and print the table."""
    compile = worthwhile(10_000, torch.device("cpu"))
    table = Table(
        title="Model updates a second, one thread, batch size 128; in brackets, times the plain PyTorch loop.\n"
        f"Last column: the Trainer's share of the time of a population of {SIZES[-1]}."
    )
    names = ["PyTorch loop", "Lightning", *(f"P = {size}" for size in SIZES)]
    for column in ("", *names, "share"):
        table.add_column(column, justify="right", no_wrap=True)
    with Progress(console=console, transient=True) as progress:
        for label, (module, data) in contenders().items():
            runs = {
                names[0]: (plain_loop(module, data), 1),
                names[1]: (trainer(module, data), 1),
                **{
                    name: (population(module, data, size, compile), size)
                    for name, size in zip(names[2:], SIZES, strict=True)
                },
            }
            whole = Population(module, data, seeds=range(SIZES[-1]), compile=compile)
            runs["whole"] = (trainer(whole, None), SIZES[-1])
            rate = rates(runs, progress)
            share = max(0.0, 1 - rate["whole"] / rate[names[-1]])
            cells = [
                f"{short(rate[name])} ({rate[name] / rate[names[0]]:,.{1 if index < 2 else 0}f})"
                for index, name in enumerate(names)
            ]
            table.add_row(label, *cells, f"{share:.0%}")
            if not console.is_terminal:
                console.print(f"{label} measured")
    console.print(table)


def short(rate: float) -> str:
    """Return a rate with three digits."""
    return f"{rate / 1e6:.2f} M" if rate >= 1e5 else f"{rate:,.0f}"


def main() -> int:
    """Run the command; return its exit code."""
    argparse.ArgumentParser(prog="python -m arith_lightning.benchmark.speed", description=__doc__).parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    speed(Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
