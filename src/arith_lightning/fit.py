"""Train one experiment as a population of seeds: `python -m arith_lightning.fit --config configs/nalu_mul.yaml`.

`fit` is implied; `validate` and `test` evaluate a checkpoint of a run (`--ckpt_path`).
"""

import logging
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from rich.console import Console

from arith_lightning import reading, results, runs
from arith_lightning.callbacks import Dashboard, Doctor, PopulationProgress
from arith_lightning.complaint import require
from arith_lightning.config import SUBCOMMANDS, ArithmeticCLI
from arith_lightning.explain import explain

LOGS = Path("logs")
INTERRUPTED = 130
"""Exit code of a program ended by Ctrl-C."""


class FitCLI(ArithmeticCLI):
    """The command: one configuration, one folder, one answer."""

    folder: Path | None = None

    def __init__(self, **kwargs: Any) -> None:
        try:
            super().__init__(**kwargs)
        except (ValueError, MisconfigurationException) as error:
            if self.folder is not None:
                runs.discard(self.folder)
            raise ValueError(explain(str(error))) from error

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Give the trainer the run's folder: loggers, checkpoint, progress and dashboard."""
        config = self.config[self.subcommand]
        self.doctor = Doctor()
        callbacks: list[Any] = [Dashboard(), self.doctor]
        if config.trainer.enable_progress_bar is not False:
            callbacks.append(PopulationProgress())
        path = config.ckpt_path
        known = path is None or zipfile.is_zipfile(path)
        require(known, "ckpt_path must name a checkpoint", path, f"see logs/*/*/{runs.CHECKPOINT}")
        if self.subcommand == "fit":
            self.folder = runs.folder(LOGS, self.name(), self.configuration())
            if config.ckpt_path is None and (self.folder / runs.CHECKPOINT).exists():
                self.config_init[self.subcommand].ckpt_path = str(self.folder / runs.CHECKPOINT)
                Console(stderr=True).print(f"continuing the unfinished run in {self.folder}")
            runs.begin(self.folder, self.recorded)
            kwargs["logger"] = TensorBoardLogger(LOGS, self.name(), self.folder.name, default_hp_metric=False)
            if config.trainer.enable_checkpointing is not False:
                callbacks.append(ModelCheckpoint(**runs.checkpoint(self.folder)))
        else:
            kwargs["logger"] = False
        self.trainer_defaults = self.trainer_defaults | {"callbacks": callbacks}
        return super().instantiate_trainer(**kwargs)

    def before_instantiate_classes(self) -> None:
        """Keep the configuration as it was asked for."""
        self.recorded = self.configuration()

    def name(self) -> str:
        """Return the experiment's name: that of the last configuration file."""
        files = self.config[self.subcommand].get("config")
        return reading.stem(Path(str(files[-1]))) if files else "run"

    def after_fit(self) -> None:
        """Answer: table, actual and predicted, files."""
        seen = [diagnosis.sentence for diagnosis in self.doctor.found]
        assert self.folder is not None
        results.write(self.model, self.folder, seen)
        results.show(self.model, Console())
        for sentence in seen:
            Console().print(f"at the end, {sentence}", style="yellow", highlight=False, markup=False)
        Console().print(f"Everything of this run: {self.folder}   Dashboard: tensorboard --logdir {LOGS}")

    def after_validate(self) -> None:
        """Show what the checkpoint holds."""
        results.show(self.model, Console())

    after_test = after_validate


def main() -> int:
    """Run the command; return its exit code."""
    quiet()
    if len(sys.argv) < 2 or sys.argv[1] not in (*SUBCOMMANDS, "-h", "--help"):
        sys.argv.insert(1, "fit")
    try:
        FitCLI(save_config_callback=None)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemExit) as stop:
        # Lightning turns Ctrl-C into exit code 1 and SIGTERM into an exception of its own
        if isinstance(stop, SystemExit) and not isinstance(stop, SIGTERMException) and stop.code != 1:
            raise
        print("interrupted; the same command continues from the last evaluation", file=sys.stderr)
        return INTERRUPTED
    return 0


def quiet() -> None:
    """Silence messages that are not about the user's run."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for pattern in (
        ".*returned `None`, this fit will run with no optimizer.*",
        ".*LeafSpec.*",
        ".*does not have many workers.*",
        ".*number of training batches.*",
        ".*Checkpoint dir.*",
        ".*The dirpath has changed.*",
    ):
        warnings.filterwarnings("ignore", pattern)


if __name__ == "__main__":
    sys.exit(main())
