"""From YAML to a population: LightningCLI reads one file that names a dataset, an architecture, a trainer and `seeds`.

Class names in `model` and `data` are whatever `arith_lightning.architectures` and `arith_lightning.data` export;
keys and types come from their signatures.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.explain import explained
from arith_lightning.population import Population

SUBCOMMANDS = ("fit", "validate", "test")
TRAINER_DEFAULTS: dict[str, Any] = {
    "max_epochs": -1,
    "max_steps": 50_000,
    "devices": 1,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 1,
    "enable_model_summary": False,
    "enable_autolog_hparams": False,
}
"""An epoch is the stretch between two evaluations, so runs are limited by steps."""


class ArithmeticCLI(LightningCLI):
    """LightningCLI whose model is a population of seeds of the configured architecture."""

    def __init__(self, **kwargs: Any) -> None:
        options = {"exit_on_error": False, "allow_abbrev": False}
        super().__init__(
            ArithmeticModule,
            ArithmeticDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            seed_everything_default=False,
            trainer_defaults=TRAINER_DEFAULTS,
            parser_kwargs=options | ({name: options for name in SUBCOMMANDS} if kwargs.get("run", True) else {}),
            **kwargs,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return what a population can do, and the arguments that are not the user's to give."""
        own = {"model", "datamodule", "train_dataloaders", "val_dataloaders", "dataloaders", "weights_only"}
        return {name: own for name in SUBCOMMANDS}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add what belongs to the population, and give the network the sizes of the data."""
        parser.add_argument("--seeds", type=int | list[int], default=64, help="Seeds 0 to n - 1, or a list of seeds.")
        parser.add_argument(
            "--settings",
            type=list[dict[str, Any]] | None,
            default=None,
            help="What differs between settings that train side by side, each with every seed: "
            "names of scalar hyperparameters or of the data's ranges, with their values.",
        )
        parser.add_argument("--evaluate_every", type=int, default=1000, help="Steps between two evaluations.")
        parser.add_argument(
            "--compile", type=bool | None, default=None, help="Compile the steps; null decides by their number."
        )
        parser.add_argument(
            "--drop_decided", type=bool, default=False, help="Drop members as soon as they are solved or have diverged."
        )
        for name in ("in_features", "out_features"):
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, with short messages."""
        with explained():
            super().parse_arguments(parser, args)

    def instantiate_classes(self) -> None:
        """Build the trainer and wrap the architecture and the dataset into a population."""
        with explained():
            super().instantiate_classes()
        seeds = self._get(self.config, "seeds")
        if isinstance(seeds, int) and seeds < 1:
            raise ValueError(f"seeds must be positive; got {seeds}; try 64")
        self.model = Population(
            self.model,
            self.datamodule,
            seeds=range(seeds) if isinstance(seeds, int) else seeds,
            settings=self._get(self.config, "settings") or [{}],
            **{name: self._get(self.config, name) for name in ("evaluate_every", "compile", "drop_decided")},
        )
        self.datamodule = None

    def configuration(self) -> str:
        """Return the resolved configuration as YAML."""
        config = self.config[self.subcommand] if self.subcommand else self.config
        return self._parser(self.subcommand).dump(config, skip_unset=False)


class _ExperimentCLI(ArithmeticCLI):
    """The same parser, up to the objects a search needs."""

    def instantiate_classes(self) -> None:
        with explained():
            built = self.parser.instantiate(self.config)
        self.model, self.datamodule = built["model"], built["data"]


@dataclass
class Experiment:
    """One configuration, built: what a search trains many of.

    Attributes:
        module: the architecture.
        data: the dataset.
        max_steps: optimizer steps of a run.
        evaluate_every: steps between two evaluations.
        config: the resolved configuration as nested dictionaries.
    """

    module: ArithmeticModule
    data: ArithmeticDataModule
    max_steps: int
    evaluate_every: int
    config: dict[str, Any]

    @property
    def settings(self) -> list[dict[str, Any]]:
        """What differs between settings that train side by side; one empty setting where nothing does."""
        return self.config["settings"] or [{}]


def experiment(arguments: Sequence[str]) -> Experiment:
    """Build an experiment from command-line arguments such as `["--config", path, "--seeds=8"]`.

    Raises:
        ValueError: an argument or a file is wrong; the message is one or two lines.
    """
    command, sys.argv[1:] = sys.argv[1:], []  # LightningCLI warns about arguments of its own beside those of the script
    try:
        cli = _ExperimentCLI(run=False, args=list(arguments), save_config_callback=None)
    finally:
        sys.argv[1:] = command
    config = yaml.safe_load(cli.configuration())
    return Experiment(cli.model, cli.datamodule, config["trainer"]["max_steps"], config["evaluate_every"], config)
