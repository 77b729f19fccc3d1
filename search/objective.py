"""Train a batch of settings, score each over its seeds.

Settings of equal structure become one population, whatever their scalar hyperparameters; a setting that changes a
shape or a code path (depth, optimizer) starts another.
"""

import logging
import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from lightning import Trainer
from torch import Tensor

from arith_lightning.config import Experiment
from arith_lightning.population import Population
from arith_lightning.population.structure import signature
from space import Setting, Space

WORST = 0.0
"""Value of a trial whose seeds have all diverged; every other trial has more."""
DECADES = 4.0
"""Orders of magnitude of error that move the graded part by a factor of ten at its ends."""
LIMIT = 40.0
"""Bound on logarithms of errors, so that exact and diverged seeds have finite ones."""


class Result(NamedTuple):
    """What the seeds of one setting did."""

    successes: int
    n: int
    diverged: int
    excess: float
    """Median over the seeds of log10(error / threshold), within +-LIMIT."""
    solved_at: float
    """Median over the solved seeds of the step at which they were first seen solved; NaN without any."""

    @property
    def rate(self) -> float:
        """Share of successful seeds."""
        return self.successes / self.n


def value(result: Result) -> float:
    """Return what a study maximizes: the success rate, plus less than one seed's worth for a smaller error."""
    if result.diverged == result.n:
        return WORST
    return result.rate + 1 / (1 + 10 ** (result.excess / DECADES)) / result.n


class Batch:
    """Trains settings of one space.

    Args:
        space: where the settings come from.
        compile: whether to compile the steps.
    """

    def __init__(self, space: Space, compile: bool) -> None:
        self.space, self.compile = space, compile
        self._built: dict[Any, tuple[Experiment, dict[str, list[str]]]] = {}

    def train(self, settings: Sequence[Setting], seeds: Sequence[int]) -> list[Result]:
        """Return one result a setting, in order; all on the same seeds."""
        groups: dict[Any, list[tuple[int, Experiment, dict[str, Any]]]] = {}
        for index, setting in enumerate(settings):
            experiment, scalars = self._experiment(setting)
            key = (signature(experiment.module, experiment.data), experiment.max_steps, experiment.evaluate_every)
            groups.setdefault(key, []).append((index, experiment, scalars))
        results: dict[int, Result] = {}
        for group in groups.values():
            experiment = group[0][1]
            population = Population(
                experiment.module,
                experiment.data,
                seeds,
                [scalars for _, _, scalars in group],
                experiment.evaluate_every,
                self.compile,
            )
            fit(population, experiment.max_steps)
            measured = summarize(population)
            results |= {index: result for (index, _, _), result in zip(group, measured, strict=True)}
        return [results[index] for index in range(len(settings))]

    def _experiment(self, setting: Setting) -> tuple[Experiment, dict[str, Any]]:
        """Return an experiment of this structure, and every scalar that makes it this setting.

        Parsing a configuration costs a tenth of a second, so settings that differ only in numbers which the module
        holds as buffers (or the dataset as columns) share one parsed experiment.
        """
        numbers = {key: number for key, number in setting.items() if isinstance(number, float)}
        discrete = tuple((key, None if key in numbers else choice) for key, choice in setting.items())
        if discrete not in self._built:
            built = self.space.build(setting)
            self._built[discrete] = built, {key: _places(built, key, number) for key, number in numbers.items()}
        built, places = self._built[discrete]
        if not all(places[key] for key in numbers):
            built, places = self.space.build(setting), {}
        scalars = _scalars(built) | {name: numbers[key] for key, names in places.items() for name in names}
        return built, scalars


def fit(population: Population, steps: int) -> None:
    """Train quietly, without files."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = Trainer(
            max_steps=steps,
            max_epochs=-1,
            accelerator="auto",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(population)
    if trainer.interrupted:
        raise KeyboardInterrupt


def summarize(population: Population) -> list[Result]:
    """Return one result for each setting of a trained population."""
    shape = (len(population.settings), len(population.seeds))
    success = population.success.reshape(shape)
    record = {name: population.record[name].reshape(shape) for name in ("error", "diverged", "solved_at_step")}
    excess = (record["error"] / population.threshold.reshape(shape)).log10()
    excess = excess.nan_to_num(LIMIT, LIMIT, -LIMIT).clamp(-LIMIT, LIMIT)
    excess = torch.where(record["diverged"], LIMIT, excess)
    return [
        Result(
            int(success[k].sum()),
            shape[1],
            int(record["diverged"][k].sum()),
            excess[k].quantile(0.5).item(),
            _median(record["solved_at_step"][k][success[k]]),
        )
        for k in range(shape[0])
    ]


def _median(steps: Tensor) -> float:
    return steps.double().quantile(0.5).item() if len(steps) else math.nan


def _scalars(experiment: Experiment) -> dict[str, Tensor]:
    return dict(experiment.module.named_buffers()) | experiment.data.columns()


def _places(experiment: Experiment, key: str, number: float) -> list[str]:
    """Return the buffers and columns that hold a key's value; none if the value went anywhere else."""
    last = key.rpartition(".")[2]
    scalars = _scalars(experiment)
    names = [name for name in scalars if f".{name}".endswith(f".{last}")]
    alike = all(scalars[name].numel() == 1 and scalars[name].item() == number for name in names)
    return names if alike else []
