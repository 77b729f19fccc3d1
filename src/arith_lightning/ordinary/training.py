"""Train one seed of an ordinary module: a plain Trainer, as `seed_everything(seed)` and `Trainer.fit` would."""

import logging
import multiprocessing
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger

from arith_lightning import imports, reading, shipped
from arith_lightning.commandline import listed, pairs, resolved
from arith_lightning.complaint import nearest, require, short
from arith_lightning.config import seeds_of
from arith_lightning.explain import explained
from arith_lightning.ordinary.success import Course, Success
from arith_lightning.population.trial import place
from arith_lightning.trainer import RULES

KEY = "success"
"""The key by which a configuration says that its module is an ordinary one."""
DEFAULTS: dict[str, Any] = {"devices": 1, "enable_progress_bar": False, "enable_model_summary": False}
QUIET = ("lightning.pytorch", "lightning.fabric")


def meant(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments of a command are about an ordinary module; imports nothing that they name.

    Raises:
        ValueError: a configuration cannot be read.
    """
    return any(
        KEY in reading.load(shipped.config(value), "a configuration")
        if key == "config"
        else key.partition(".")[0] == KEY
        for key, value in pairs(arguments)
    )


class NeverLoggedError(ValueError):
    """The module does not log what success is measured by."""


class Watch(Callback):
    """Follows the monitored metric of one run.

    Args:
        seed: the run's seed.
        monitor: name of the metric.
    """

    def __init__(self, seed: int, monitor: str) -> None:
        self.course, self.monitor = Course(seed, [], []), monitor
        self.latest: Any = None

    def look(self, trainer: Trainer) -> None:
        """Enter the metric, where it has been measured since the last look."""
        found = trainer.callback_metrics.get(self.monitor)
        # Lightning keeps old values and hands out views; memory that is held here is not given to a new one
        if found is None or (self.latest is not None and found.data_ptr() == self.latest.data_ptr()):
            return
        self.latest = found
        self.course.steps.append(trainer.global_step)
        self.course.values.append(found.item())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at what a validation has logged."""
        if not trainer.sanity_checking:
            self.look(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at what the epoch before has logged in training; refuse a metric that no epoch logs."""
        self.look(trainer)
        every = trainer.check_val_every_n_epoch
        if every is not None and trainer.current_epoch >= every:
            self.require(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look a last time."""
        self.look(trainer)
        self.require(trainer)

    def require(self, trainer: Trainer) -> None:
        """Refuse a run that has never logged the metric."""
        if not self.course.values:
            known = sorted(trainer.callback_metrics)
            logged = f"it logs {', '.join(known)}" if known else f"it logs nothing in {trainer.global_step} steps"
            raise NeverLoggedError(
                f"success.monitor must be a metric that the module logs; got '{self.monitor}'"
                f"{nearest(self.monitor, known)}; {logged}; correct the name, or train longer than one epoch"
            )


class OrdinaryCLI(LightningCLI):
    """LightningCLI for one seed of any module and any dataset.

    Args:
        arguments: those of the command line, such as `["--config", "digits.yaml"]`.
        seed: what is trained; None to build and look at the configuration only.
        folder: where the run's files go.
        kept: whether these files are wanted.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        seed: int | None = None,
        folder: str = "",
        kept: bool = False,
    ) -> None:
        self.seed, self.folder, self.kept = seed, folder, kept
        command, sys.argv[1:] = sys.argv[1:], []  # LightningCLI warns about those of the script beside its own
        try:
            super().__init__(
                LightningModule,
                LightningDataModule,
                subclass_mode_model=True,
                subclass_mode_data=True,
                auto_configure_optimizers=False,
                save_config_callback=None,
                seed_everything_default=False,
                trainer_defaults=DEFAULTS,
                parser_kwargs={"exit_on_error": False, "allow_abbrev": False},
                run=False,
                args=list(arguments),
            )
        finally:
            sys.argv[1:] = command

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the seeds, what success is, and how many processes share the seeds."""
        parser.add_argument("--seeds", type=int | list[int], default=16, help="Seeds 0 to n - 1, or a list of seeds.")
        parser.add_argument("--success", type=Success, required=True, help="Metric and bound that make a success.")
        parser.add_argument("--workers", type=int | None, default=None, help="Processes; null is every core.")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, with short messages, and refuse what a Trainer a seed cannot heed."""
        imports.here()
        with explained():
            super().parse_arguments(parser, listed(resolved(args)))
            self.success = Success(**self.config.success.as_dict())
        config = self.config
        for name in ("devices", "num_nodes"):
            holds, value = RULES[name][0], config.trainer[name]
            require(
                holds(value) or value == "auto",
                f"each seed has a Trainer on one device; trainer.{name} must be 1",
                value,
                "leave it out",
            )
        seed, way_out = config.seed_everything, "name the seeds, as in --seeds '[5]'"
        given = seed is not None and seed is not False
        require(
            not given, "each run is seeded with its own of `seeds`; seed_everything must be left out", seed, way_out
        )
        workers = config.workers
        require(workers is None or workers > 0, "workers must be positive", workers, "try 1")
        self.seeds = list(seeds_of(config.seeds))
        fit = bool(self.seeds) and all(seed in range(2**32) for seed in self.seeds)
        once = len({*self.seeds}) == len(self.seeds)
        rule = "seeds must differ from each other and lie in [0, 2^32)"
        require(fit and once, rule, self.seeds, "try 16")

    def instantiate_classes(self) -> None:
        """Build everything after seeding; without a seed all but the Trainer."""
        seed_everything(self.seeds[0] if self.seed is None else self.seed, workers=True, verbose=False)
        with explained():
            super().instantiate_classes()

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Build the Trainer of the seed, watched."""
        if self.seed is None:
            return None
        given = self.config.trainer
        kwargs["default_root_dir"] = self.folder
        if not self.kept and not given.callbacks:  # some callbacks ask for a logger or for checkpoints
            kwargs |= {"logger": False, "enable_checkpointing": False}
        elif given.logger in (None, True):
            kwargs["logger"] = TensorBoardLogger(self.folder, name="", version="")
        self.watch = Watch(self.seed, self.success.monitor)
        self.trainer_defaults = self.trainer_defaults | {"callbacks": [self.watch]}
        return super().instantiate_trainer(**kwargs)

    def configuration(self) -> str:
        """Return the resolved configuration as YAML, without what decides about speed alone."""
        config = self.config.clone()
        config.pop("workers")
        config.pop("config", None)
        return str(self.parser.dump(config, skip_unset=False))


def train(arguments: Sequence[str], seed: int, folder: Path | None = None) -> Course:
    """Train one seed; return the course of its metric.

    Args:
        arguments: see `OrdinaryCLI`.
        seed: the seed.
        folder: where checkpoints and event files go; None where none are kept.

    Raises:
        ValueError: the metric is never logged, or the module cannot be trained.
    """
    multiprocessing.current_process().daemon = False  # or its dataset could have no workers of its own
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as spare, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cli = OrdinaryCLI(arguments, seed, str(folder or spare), folder is not None)
        try:
            cli.trainer.fit(cli.model, cli.datamodule)
        except NeverLoggedError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {short(error)}{place(error)}"
            rule = f"{type(cli.model).__name__} must train in a plain Trainer"
            raise ValueError(f"{rule}; got {said} with seed {seed}; correct it") from error
    if cli.trainer.interrupted:
        raise KeyboardInterrupt
    return cli.watch.course
