"""One bar for the whole run: steps, time left, how many networks are solved, their steps in a second."""

import time
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

from arith_lightning.terminal import uninterrupted

PLAIN_LINES = 10
"""Lines printed in place of a bar where there is no terminal."""


class PopulationProgress(ProgressBar):
    """A rich bar over optimizer steps; a line every tenth of the run where output is not a terminal.

    Args:
        console: where it is drawn; whoever prints while it is should print there, too.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.bar: Progress | None = None

    def disable(self) -> None:
        """Show nothing (Lightning calls this on every process but the first)."""
        self.console.quiet = True

    def enable(self) -> None:
        """Show again."""
        self.console.quiet = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar at the step the run starts or resumes from."""
        self.seen, self.first = (time.perf_counter(), trainer.global_step), trainer.global_step
        self.printed = self.first * PLAIN_LINES // trainer.max_steps
        compiling = bool(getattr(pl_module, "compiled", False))
        seeds, settings = len(pl_module.seeds), len(pl_module.settings)  # type: ignore[arg-type]
        each = "one a seed" if settings == 1 else f"{seeds} seeds x {settings} settings"
        self.console.print(
            f"{seeds * settings:,} networks train side by side, {each}; an update is a step of one",
            highlight=False,
        )
        whole = Column(no_wrap=True)  # where the line is short, the bar gives way
        description = "compiling, then training" if compiling else "training"
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(table_column=whole),
            TimeElapsedColumn(table_column=whole),
            TimeRemainingColumn(table_column=whole),
            TextColumn("{task.fields[state]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task(description, total=trainer.max_steps, completed=self.first, state="")
        with uninterrupted():  # the bar has a thread of its own
            self.bar.start()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move on by the stretch that was just evaluated."""
        if self.bar is None or trainer.global_step == self.first:
            return
        state = self.state(trainer, pl_module)
        with uninterrupted():
            self.bar.update(self.task, completed=trainer.global_step, state=state, description="training")
        tenth = trainer.global_step * PLAIN_LINES // trainer.max_steps
        if not self.console.is_terminal and tenth > self.printed:
            self.printed = tenth
            self.console.print(f"step {trainer.global_step:,} of {trainer.max_steps:,}: {state}", highlight=False)

    def state(self, trainer: Trainer, population: Any) -> str:
        """Return the speed since the last evaluation, and success so far."""
        (then, step), self.seen = self.seen, (time.perf_counter(), trainer.global_step)
        updates = (trainer.global_step - step) * len(population.live) / (self.seen[0] - then)
        success = population.success
        return f"solved {int(success.sum())} of {len(success)}, {brief(updates)} updates/s"

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar."""
        self.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Leave the terminal in order."""
        if self.bar is not None:
            with uninterrupted():
                self.bar.stop()
            self.bar = None


def brief(number: float) -> str:
    """Return a number in at most four characters, as 870, 12k or 3.4M."""
    if number < 1e4:
        return f"{number:.0f}"
    return f"{number / 1e3:.0f}k" if number < 1e6 else f"{number / 1e6:.1f}M"
