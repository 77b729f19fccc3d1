"""Train one experiment as a population of seeds: `python -m arith_lightning.fit --config configs/nalu_mul.yaml`.

`fit` is implied; `validate` and `test` evaluate a checkpoint of a run (`--ckpt_path`); `predict` asks its best network.
"""

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from lightning import Callback, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.utilities.exceptions import SIGTERMException
from rich.console import Console

from arith_lightning import checkpoints, results, runs
from arith_lightning.callbacks import Answer, Board, Dashboard, Doctor, PopulationProgress
from arith_lightning.complaint import require
from arith_lightning.config import SUBCOMMANDS, ArithmeticCLI
from arith_lightning.explain import explain
from arith_lightning.ordinary import training
from arith_lightning.population.provenance import trained_in
from arith_lightning.terminal import answered
from arith_lightning.trainer import computes


class FitCLI(ArithmeticCLI):
    """The command: one configuration, one folder, one answer.

    Args:
        watching: callbacks beside the command's own.
    """

    folder: Path | None = None
    """Of a run that is kept: one of `fit`, but for `trainer.fast_dev_run`."""

    def __init__(self, watching: Sequence[Callback] = ()) -> None:
        self.watching = watching
        try:
            super().__init__(save_config_callback=None)
        except (ValueError, MisconfigurationException) as error:
            if self.folder is not None:
                runs.discard(self.folder)
            raise ValueError(explain(str(error))) from error

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and refuse a checkpoint that cannot be read."""
        super().parse_arguments(parser, args)
        path = self.config[self.config["subcommand"]].ckpt_path
        if path is not None:
            checkpoints.read(Path(path))

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the population, then its folder, and give the trainer what watches and keeps it."""
        self.model = self.population()
        config, console = self.config[self.subcommand], Console(stderr=True)
        self.doctor = Doctor(console)
        callbacks: list[Any] = [*self.watching, self.doctor]
        if config.trainer.enable_progress_bar is not False:
            callbacks.append(PopulationProgress(console))
        if config.trainer.accelerator == "auto":
            kwargs["accelerator"] = "cuda" if computes("cuda") else "cpu"
        if self.subcommand != "fit":
            if config.ckpt_path is None:
                raise ValueError(
                    f"{self.subcommand} needs a run to look at; got no --ckpt_path; see logs/*/*/{checkpoints.LAST}"
                )
            kwargs["logger"] = False
        elif not config.trainer.fast_dev_run:
            root = Path(config.trainer.default_root_dir or runs.LOGS)
            self.folder = runs.folder(root, self.name(), self.recorded)
            if config.ckpt_path is None:
                self.resume(self.folder, console)
            runs.begin(self.folder, self.recorded)
            if config.trainer.logger in (None, True):
                kwargs["logger"] = Board(root, self.name(), self.folder.name, default_hp_metric=False)
            kwargs["plugins"] = [checkpoints.KeptCheckpoints()]
            callbacks += [Answer(self.folder, self.doctor), Dashboard(self.doctor, self.folder)]
            if config.trainer.enable_checkpointing is not False:
                callbacks.append(checkpoints.callback(self.folder))
        self.trainer_defaults = self.trainer_defaults | {"callbacks": callbacks}
        return super().instantiate_trainer(**kwargs)

    def resume(self, folder: Path, console: Console) -> None:
        """Go on from the newest whole checkpoint in the run's folder, and say so."""
        config = self.config_init[self.subcommand]
        precision = trained_in(config.trainer.precision, self.model.precision)
        found, said = checkpoints.latest(folder, lambda state: self.model.check(state, precision))
        if said and not found:
            said.append("no whole checkpoint is left, so the run starts anew")
        if found:
            config.ckpt_path = str(found)
            said.append(f"continuing the unfinished run in {folder}")
        for line in said:
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    def before_fit(self) -> None:
        """Start the loggers; one that cannot be started refuses the run."""
        for logger in self.trainer.loggers:
            name = f"{type(logger).__name__} ({{}})"
            try:
                _ = getattr(logger, "experiment", None)
            except OSError:
                raise
            except Exception as error:  # loggers have exceptions of their own
                reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
                require(False, "trainer.logger must be one that starts", name.format(reason), "log in, or leave it out")

    def before_instantiate_classes(self) -> None:
        """Keep the configuration as it was asked for."""
        self.recorded = self.configuration()

    def name(self) -> str:
        """Return the experiment's name: that of the last configuration file."""
        return runs.name([str(file) for file in self.config[self.subcommand].get("config") or ()])

    def after_fit(self) -> None:
        """Show the answer: table, actual and predicted, files."""
        if self.folder is None:
            Console().print(
                f"A dry run (trainer.fast_dev_run): {self.trainer.max_steps} steps were trained and evaluated without "
                "an error. Nothing is kept, and nothing is known of what is learnt.",
                highlight=False,
                soft_wrap=True,
            )
            return
        results.show(self.model, Console())
        for found in self.doctor.found:
            Console().print(f"{found.finding.name}: {found.sentence}", style="yellow", highlight=False, markup=False)
        if unexplained := results.unexplained(self.model, self.doctor.found):
            Console().print(unexplained, style="yellow", highlight=False, soft_wrap=True)
        if self.doctor.found or unexplained:
            way_out = f"python -m arith_lightning.remedies --config {quote(f'{self.folder}/{runs.CONFIG}')}"
            Console().print(f"What makes it train is found by trying: {way_out}", highlight=False, soft_wrap=True)
        Console().print(f"Everything of this run: {self.folder}", highlight=False, soft_wrap=True)
        if any(isinstance(logger, Board) for logger in self.trainer.loggers):
            root = self.folder.parent.parent
            Console().print(f"Dashboard: tensorboard --logdir {quote(str(root))}", highlight=False, soft_wrap=True)

    def after_validate(self) -> None:
        """Show what the checkpoint holds."""
        results.show(self.model, Console())

    after_test = after_validate


def main(callbacks: Sequence[Callback] = ()) -> int:
    """Run the command, watched by callbacks; return its exit code."""
    quiet()
    if sys.argv[1:2] == ["predict"]:
        from arith_lightning import predicting

        return answered(predicting.command, "run the same command again")
    if len(sys.argv) < 2 or sys.argv[1] not in (*SUBCOMMANDS, "-h", "--help"):
        sys.argv.insert(1, "fit")
    return answered(lambda: command(callbacks), "the same command continues from the last evaluation")


def command(callbacks: Sequence[Callback]) -> None:
    """Do what the command line asks for: with a population, or of an ordinary module with a Trainer a seed."""
    if training.meant(sys.argv[2:]):
        from arith_lightning.ordinary import fitting

        return fitting.command(sys.argv[1], sys.argv[2:])
    try:
        FitCLI(callbacks)
    except SystemExit as stop:
        if isinstance(stop, SIGTERMException) or stop.code == 1:  # what Lightning makes of SIGTERM and of Ctrl-C
            raise KeyboardInterrupt from stop
        raise


def quiet() -> None:
    """Silence messages that are not about the user's run."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # their reports
    for pattern in (
        ".*returned `None`, this fit will run with no optimizer.*",
        ".*LeafSpec.*",
        ".*does not have many workers.*",
        ".*number of training batches.*",
        ".*Checkpoint dir.*",
        ".*The dirpath has changed.*",
        ".*callbacks used to create the checkpoint need to be provided.*",
    ):
        warnings.filterwarnings("ignore", pattern)
