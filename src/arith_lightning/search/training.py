"""Train a batch of settings, each over its seeds and all tasks of its experiment, quickly and quietly.

Settings of equal structure become one population, whatever their scalar hyperparameters; a setting that changes a
shape or a code path (depth, optimizer) starts another.
"""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from arith_lightning.config import Experiment
from arith_lightning.population import Population
from arith_lightning.population.identity import signature
from arith_lightning.population.settings import last
from arith_lightning.search.objective import Result, summarize
from arith_lightning.search.pruning import Prune
from arith_lightning.search.space import Setting, Space

JUDGED_ON = 1
"""Seed of the evaluation sets of a search; reported results have 0. A dataset whose evaluation set is a fixed list
of examples (IntegerSeries, IntegerParity) has one set only, and there the reported seeds alone are new."""

ARGUMENTS = ("model.init_args", "data.init_args")
"""Keys of a module's and of a dataset's arguments."""


class Batch:
    """Trains settings of one space.

    Args:
        space: where the settings come from.
        compile: whether to compile the steps.
    """

    def __init__(self, space: Space, compile: bool) -> None:
        self.space, self.compile = space, compile
        self._built: dict[Any, Experiment] = {}

    def train(
        self,
        settings: Sequence[Setting],
        seeds: Sequence[int],
        prune: Prune | None = None,
        drop_decided: bool = False,
    ) -> list[Result]:
        """Return one result a setting, in order; all on the same seeds.

        Args:
            settings: what to train.
            seeds: seeds of each setting.
            prune: told an evaluation's number and the results so far by index; returns the indices to drop.
            drop_decided: whether seeds that are solved or have diverged stop there.
        """
        groups: dict[Any, list[tuple[int, Experiment]]] = {}
        for index, setting in enumerate(settings):
            experiment = self._experiment(setting)
            shared = tuple(signature(experiment.module, experiment.data).items())
            key = (shared, experiment.max_steps, experiment.evaluate_every)
            groups.setdefault(key, []).append((index, experiment))
        results: dict[int, Result] = {}
        for group in groups.values():
            experiment = group[0][1]
            tasks = experiment.settings
            population = Population(
                experiment.module,
                experiment.data,
                seeds,
                [setting for _, own in group for setting in own.members()],
                experiment.evaluate_every,
                self.compile,
                drop_decided,
            )
            rungs = Rungs([index for index, _ in group], len(tasks), prune) if prune else None
            fit(population, experiment.max_steps, rungs)
            measured = summarize(population, len(tasks))
            if rungs:
                measured = [m._replace(pruned_at=rungs.pruned.get(k)) for k, m in enumerate(measured)]
            results |= {index: result for (index, _), result in zip(group, measured, strict=True)}
        return [results[index] for index in range(len(settings))]

    def _experiment(self, setting: Setting) -> Experiment:
        """Return the experiment of a setting.

        Parsing a configuration costs a tenth of a second, so settings that differ only in numbers share a parsed one,
        whose module and dataset are built again with the numbers.
        """
        numbers = {k: n for k, n in setting.items() if isinstance(n, float) and k.rpartition(".")[0] in ARGUMENTS}
        discrete = tuple((key, None if key in numbers else repr(choice)) for key, choice in setting.items())
        if discrete not in self._built:
            found = self.space.build(setting)
            self._built[discrete] = replace(found, data=found.data.for_selection())
        built = self._built[discrete]
        model, data = ({last(k): n for k, n in numbers.items() if k.startswith(part)} for part in ARGUMENTS)
        built = replace(
            built,
            module=built.module.again(**model) if model else built.module,
            data=built.data.again(**data) if data else built.data,
        )
        built.data.evaluation_seed = JUDGED_ON
        return built


class Rungs(Callback):
    """Drops settings of a population between evaluations.

    Args:
        indices: the index in the batch of each trial of the population.
        tasks: settings of the population that make one trial.
        prune: see `Batch.train`.
    """

    def __init__(self, indices: Sequence[int], tasks: int, prune: Prune) -> None:
        self.indices, self.tasks, self.prune = list(indices), tasks, prune
        self.pruned: dict[int, int] = {}
        """Trial of the population -> step at which it was dropped."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ask which settings to drop, and drop all of their seeds."""
        assert isinstance(pl_module, Population)
        step, every = trainer.global_step, pl_module.evaluate_every
        if step >= trainer.max_steps or step % every:
            return
        live = {self.indices[k]: k for k in range(len(self.indices)) if k not in self.pruned}
        results = summarize(pl_module, self.tasks)
        dropped = self.prune(step // every, {index: results[k] for index, k in live.items()}) if live else set()
        if dropped:
            self.pruned |= {live[index]: step for index in dropped}
            trial = pl_module.live.index // (self.tasks * len(pl_module.seeds))
            gone = torch.tensor(list(self.pruned), device=trial.device)
            pl_module.keep(~torch.isin(trial, gone))


def fit(population: Population, steps: int, rungs: Rungs | None = None) -> None:
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
            callbacks=[rungs] if rungs else None,
        )
        trainer.fit(population)
    if trainer.interrupted:
        raise KeyboardInterrupt
