"""From YAML to a population: LightningCLI reads one file that names a dataset, an architecture, a trainer and `seeds`.

Class names in `model` and `data` are whatever `arith_lightning.architectures` and `arith_lightning.data` export;
keys and types come from their signatures.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser, get_loader, set_loader
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from torch import Tensor

from arith_lightning import data, imports, reading, trainer
from arith_lightning import seeds as numbers
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.commandline import PATHS, listed, pairs, resolved
from arith_lightning.complaint import require, short
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.explain import BASES, KINDS, explained, exported
from arith_lightning.population import Population, limits, settings
from arith_lightning.population.settings import last
from arith_lightning.population.team import cores

SUBCOMMANDS = ("fit", "validate", "test")
WORDS = ("path", "test_path", "inputs", "targets", "test_where", "formula", "formulas", "encode")
"""Keys of this project's datasets whose texts name no class: files, columns, formulas."""
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
            parser_kwargs=options | (dict.fromkeys(self.subcommands(), options) if kwargs.get("run", True) else {}),
            **kwargs,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return what a population can do, and the arguments that are not the user's to give."""
        own = {"model", "datamodule", "train_dataloaders", "val_dataloaders", "dataloaders", "weights_only"}
        asked = [name for name in SUBCOMMANDS if name in sys.argv[1:2]]  # a parser each, and building them is slow
        return {name: own for name in asked or SUBCOMMANDS}

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
            "--compile", type=bool | None, default=None, help="Compile the steps; null decides by their cost."
        )
        parser.add_argument(
            "--drop_decided",
            type=bool,
            default=False,
            help="Drop networks as soon as they are solved or have diverged.",
        )
        parser.add_argument(
            "--workers", type=int | None, default=None, help="Processes that share the networks; null is every core."
        )
        for name in ("in_features", "out_features"):
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, with short messages.

        Raises:
            ValueError: a file or a value is refused; nothing has been built or written.
        """
        imports.here()
        given = resolved(listed(sys.argv[1:] if args is None else args))
        if args is None:
            sys.argv[1:] = given
        else:
            args = given
        for key, value in pairs(given):
            if key == "config":
                reading.load(Path(value), "a configuration")
            elif key not in PATHS and not (key.startswith("data.") and last(key) in WORDS) and imports.meant(value):
                imports.examine(value)
        with explained():
            super().parse_arguments(parser, args)
        config = self.config[self.config.subcommand] if "subcommand" in self.config else self.config
        for part, base in BASES.items():
            known = ", ".join(sorted(kind.__name__ for kind in exported(base)))
            path = config[part].class_path
            require(not path.endswith(f".{base.__name__}"), f"{part} must be {KINDS[part]}", path, f"one of {known}")
        trainer.examine(config.trainer)
        seed = config.seed_everything
        require(
            seed is None or seed is False,
            "random numbers come from `seeds` alone; seed_everything must be left out",
            seed,
            "name the seeds, as in --seeds '[5]'",
        )

    def instantiate_classes(self) -> None:
        """Build everything; the population stands for the dataset, too."""
        with explained():
            super().instantiate_classes()
            trainer.examine_callbacks(self.trainer)
        self.datamodule = None

    def population(self) -> Population:
        """Return the population of the configured architecture, dataset, seeds and settings."""
        workers = self._get(self.config, "workers")
        return Population(
            self.model,
            self.datamodule,
            seeds=seeds_of(self._get(self.config, "seeds")),
            settings=read_settings(self._get(self.config, "settings"), self.model, self.datamodule),
            **{name: self._get(self.config, name) for name in ("evaluate_every", "compile", "drop_decided")},
            workers=cores() if workers is None else workers,
        )

    def _parse_ckpt_path(self) -> None:
        """Leave the checkpoint alone: those of populations hold no arguments."""

    def configuration(self) -> str:
        """Return the resolved configuration as YAML, without what decides about speed alone."""
        config = (self.config[self.subcommand] if self.subcommand else self.config).clone()
        config.pop("workers")
        return self._parser(self.subcommand).dump(config, skip_unset=False)


class _ExperimentCLI(ArithmeticCLI):
    """The same parser, up to the objects a search needs."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Take a run's own config.yaml, which has a checkpoint's path too."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--ckpt_path", type=str | None, default=None, help="Passed over.")

    def instantiate_classes(self) -> None:
        with explained():
            built = self.parser.instantiate(self.config)
            self.model, self.datamodule = built["model"], built["data"]
            self.settings = read_settings(self.config.settings, self.model, self.datamodule)
            limits.examine(self.model, self.datamodule, seeds_of(self.config.seeds), len(self.settings))
            settings.rows(self.model, self.settings), settings.rows(self.datamodule, self.settings)


@dataclass
class Experiment:
    """One configuration, built: what a search trains many of.

    Attributes:
        module: the architecture.
        data: the dataset.
        max_steps: optimizer steps of a run.
        evaluate_every: steps between two evaluations.
        config: the resolved configuration as nested dictionaries.
        settings: what differs between settings that train side by side; one empty setting where nothing does.
    """

    module: ArithmeticModule
    data: ArithmeticDataModule
    max_steps: int
    evaluate_every: int
    config: dict[str, Any]
    settings: list[dict[str, Any]]

    def members(self) -> list[dict[str, Tensor]]:
        """Return every buffer and column of each setting by its full name, for a population of many experiments."""
        parts = (settings.rows(part, self.settings) for part in (self.module, self.data))
        return [module | data for module, data in zip(*parts, strict=True)]


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
    steps, every = config["trainer"]["max_steps"], config["evaluate_every"]
    return Experiment(cli.model, cli.datamodule, steps, every, config, cli.settings)


def seeds_of(seeds: int | list[int]) -> Sequence[int]:
    """Return the seeds that a number of seeds stands for, or those that a list names."""
    require(not isinstance(seeds, int) or seeds > 0, "seeds must be positive", seeds, "try 64")
    return numbers.first(seeds, numbers.REPORTED) if isinstance(seeds, int) else seeds


def read_settings(
    given: list[dict[str, Any]] | None, module: ArithmeticModule, data: ArithmeticDataModule
) -> list[dict[str, Any]]:
    """Read each value of each setting by the type of the argument that it stands for; none is one empty setting.

    Raises:
        ValueError: a name or a value is refused.
    """
    require(given != [], "settings must hold one setting at least", given, "leave them out, or try [{}]")
    settings.check(given or [], module, data)
    found: list[dict[str, Any]] = [{} for _ in given or [{}]]
    for part in (module, data):
        parser, names = ArgumentParser(exit_on_error=False), settings.scalars(part)
        parser.add_class_arguments(type(part), fail_untyped=False)
        for setting, read in zip(given or [], found, strict=False):
            own = {name: value for name, value in setting.items() if name in names}
            read |= parser.parse_object(own, defaults=False).as_dict() if own else {}
    twice = [setting for k, setting in enumerate(found) if setting in found[:k]]
    require(not twice, "settings must differ from each other, or rates count some twice", short(twice), "drop them")
    return found


def class_paths(value: Any, words: bool = True) -> Iterator[str]:
    """Yield whatever in a configuration may name a class: every text with dots in it, beside names of files.

    Args:
        value: a part of the configuration.
        words: whether `WORDS` are keys of texts in it, as in all but arguments of classes of others.

    Raises:
        ValueError: a class or its arguments are of another kind.
    """
    if isinstance(value, dict):
        if "class_path" in value:
            path, arguments = value["class_path"], value.get("init_args", {})
            require(isinstance(path, str), "class_path must be the name of a class", path, "such as NMU")
            require(isinstance(arguments, dict), "init_args must be arguments by name", arguments, "or leave it out")
            yield path
            words = path.removeprefix(f"{data.__name__}.") in data.__all__
        for key, part in value.items():
            if key not in PATHS and not (words and key in WORDS and texts(part)):
                yield from class_paths(part, words)
    elif isinstance(value, list):
        for part in value:
            yield from class_paths(part, words)
    elif isinstance(value, str) and imports.meant(value):
        yield value


def texts(value: Any) -> bool:
    """Return whether a part of a configuration is a text, a number, or a list or a mapping of such alone."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return "class_path" not in (value if isinstance(value, dict) else ()) and all(
        not isinstance(part, dict | list) for part in parts
    )


def examined(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the parser's loader, which refuses first what cannot be meant or should not be imported."""

    def loaded(text: str) -> Any:
        reading.examine(text)
        content = load(text)
        # a text alone is a value whose key has been looked at: in a file's content, or among the arguments
        for path in () if isinstance(content, str) else class_paths(content):
            imports.examine(path)
        return content

    return loaded


set_loader("yaml", examined(get_loader("yaml")), exceptions=(yaml.YAMLError,))
