"""What loggers show of a population: bands over members, success rate, hyperparameters, final figures.

TensorBoard shows weights and the table of hyperparameters, too.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.trainer.states import TrainerFn
from matplotlib.figure import Figure
from matplotlib.image import imread
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb, hparams_pb

from arith_lightning import figures, results, runs
from arith_lightning.callbacks.diagnosis import Doctor
from arith_lightning.callbacks.harmless import harmless
from arith_lightning.population import Population
from arith_lightning.private import write_summary

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BANDS = {"median": 2, "q25": 1, "q75": 3}
ERRORS = ("interpolation_mse", "extrapolation_mse")
HISTOGRAMS = 50
"""Weight histograms written in a run."""
LAYOUT = {
    "population": {
        **{name: ["Margin", [f"{name}/{band}" for band in BANDS]] for name in ERRORS},
        "success rate": ["Multiline", ["success_rate"]],
    }
}


class Board(TensorBoardLogger):
    """TensorBoard's event files, which end no run when they cannot be written."""

    def log_hyperparams(self, *arguments: Any, **more: Any) -> None:
        """Write what Lightning wants to."""
        with harmless("the dashboard"):
            super().log_hyperparams(*arguments, **more)

    def save(self) -> None:
        """Write what is held back."""
        with harmless("the dashboard"):
            super().save()

    def finalize(self, status: str) -> None:
        """Write the rest."""
        with harmless("the dashboard"):
            super().finalize(status)


class Dashboard(Callback):
    """Hands every evaluation of a population to the trainer's loggers, and draws figures into its folder at the end.

    Args:
        doctor: whose last findings are written, too.
        folder: the run's folder.
    """

    def __init__(self, doctor: Doctor, folder: Path) -> None:
        self.doctor, self.folder = doctor, folder
        self.history: list[dict[str, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        """Keep the curves through a resume."""
        return {"history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the curves of the interrupted run."""
        self.history = state_dict["history"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Lay out the dashboard."""
        for logger in trainer.loggers:
            with harmless("the dashboard"):
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.add_custom_scalars(LAYOUT)
                else:  # TensorBoard's table takes them with the results, at the end
                    logger.log_hyperparams(self.hyperparameters())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the bands, the rate and now and then the weights."""
        if trainer.state.fn != TrainerFn.FITTING:
            return
        population, step = cast_population(pl_module), trainer.global_step
        entry: dict[str, Any] = {"step": step, "success_rate": float(population.success.double().mean())}
        for name in ERRORS:
            entry[name] = quantiles(getattr(population.record, f"latest_{name}"))
        self.history.append(entry)
        every = max(1, trainer.max_steps // population.evaluate_every // HISTOGRAMS)
        curves = {f"{name}/{band}": entry[name][index] for name in ERRORS for band, index in BANDS.items()}
        for logger in trainer.loggers:
            with harmless("the dashboard"):
                logger.log_metrics(curves | {"success_rate": entry["success_rate"]}, step)
                logger.save()
                if isinstance(logger, TensorBoardLogger) and len(self.history) % every == 0:
                    self.histograms(logger, population, step)

    def histograms(self, logger: TensorBoardLogger, population: Population, step: int) -> None:
        """Write each parameter's values over all members."""
        flat = population.record.parameters.cpu()
        sizes = {name: math.prod(shape) for name, shape in population.dynamics.shapes.items()}
        for (name, _), part in zip(sizes.items(), flat.split(list(sizes.values())), strict=True):
            finite = part[part.isfinite()]
            if len(finite):
                logger.experiment.add_histogram(f"parameters/{name.removeprefix('network.')}", finite, step)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the figures into the run's folder and enter the run into the table of hyperparameters."""
        if not self.history:
            return
        population, figures_in = cast_population(pl_module), self.folder / "figures"
        best = results.best(population)
        draw: dict[str, Callable[[], Figure]] = {
            "curves": lambda: figures.curves(self.history, population),
            "members": lambda: figures.members(population),
            "parameters": lambda: figures.weights(population),
            "predictions": lambda: figures.predictions(population, best),
        }
        for name, drawn in draw.items():
            with harmless(f"the figure {name}"):
                path = figures_in / f"{name}.png"
                figures_in.mkdir(parents=True, exist_ok=True)
                runs.picture(path, drawn(), 130)
                for logger in trainer.loggers:
                    if isinstance(logger, TensorBoardLogger):
                        logger.experiment.add_image(name, imread(path), trainer.global_step, dataformats="HWC")
                    elif hasattr(logger, "log_image"):
                        logger.log_image(name, [str(path)])
        for logger in trainer.loggers:
            if not isinstance(logger, TensorBoardLogger):
                continue
            with harmless("the dashboard"):
                self.configuration(logger)
                told = [f"**{each.finding.name}**: {each.sentence}" for each in self.doctor.found]
                logger.experiment.add_text("why", "\n\n".join(told) or "nothing was found", trainer.global_step)
                logger.experiment.flush()

    def hyperparameters(self) -> dict[str, bool | int | float | str]:
        """Return the run's architecture, dataset and their arguments, by dotted name."""
        config = yaml.safe_load((self.folder / runs.CONFIG).read_text())
        return {
            f"{part}.{name}": value if isinstance(value, (bool, int, float, str)) else str(value)
            for part in ("model", "data")
            for name, value in {
                "class_path": config[part]["class_path"].rpartition(".")[2],
                **config[part].get("init_args", {}),
            }.items()
        }

    def configuration(self, logger: TensorBoardLogger) -> None:
        """Write the configuration as text and the run's row of the HParams tab, with its final metrics."""
        text, chosen = (self.folder / runs.CONFIG).read_text(), self.hyperparameters()
        logger.experiment.add_text("config", f"```yaml\n{text}\n```")
        metrics = [Metric(tag) for tag in ("success_rate", *(f"{name}/median" for name in ERRORS))]
        columns = hparams_config_pb(hparams=[HParam(name) for name in chosen], metrics=metrics)
        for summary in (columns, hparams_pb(chosen, trial_id=str(self.folder))):
            write_summary(logger.experiment, summary)


def cast_population(module: LightningModule) -> Population:
    """Return the module as what it is."""
    assert isinstance(module, Population)
    return module


def quantiles(values: torch.Tensor) -> list[float]:
    """Return the quantiles of some errors over members; what is not a number counts as infinite."""
    ordered = values.cpu().double().nan_to_num(torch.inf, torch.inf)
    return torch.quantile(ordered, torch.tensor(QUANTILES, dtype=torch.float64), interpolation="nearest").tolist()
