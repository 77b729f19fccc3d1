"""What a worker does: ask for a batch of trials, train it, tell the results.

Workers share nothing but the storage, so it does not matter on which machine they run, or what started them.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import Trial, TrialState

from arith_lightning import seeds as allotted
from arith_lightning.config import experiment
from arith_lightning.population import Population
from arith_lightning.search import pruning, studies
from arith_lightning.search.objective import Result, summarize, value
from arith_lightning.search.samplers import sampler
from arith_lightning.search.space import Setting, Space
from arith_lightning.search.training import Batch, fit

BATCH = 8
"""Trials that a worker asks for at once unless told otherwise; an interrupt loses at most these."""


class Work(NamedTuple):
    """What the workers of one command have in common."""

    space: Space
    storage: str
    sampler: str
    pruner: str
    seed: int
    command: str
    """Token of the command, which no other has."""
    compile: bool
    deadline: float = float("inf")
    """Time (seconds since 1970) after which no trial is asked for."""
    batch: int = BATCH
    """Trials asked for at once."""


class Spent(NamedTuple):
    """Seconds that a batch of trials took, and where they went."""

    whole: float
    cpu: float
    asking: float
    telling: float


class Worker:
    """One process's part of a command; keeps what is slow to make from one call to the next.

    Args:
        index: which worker of the command this is.
    """

    def __init__(self, index: int = 0) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.index = index
        self.work: Work | None = None
        self.batch: Batch | None = None
        self.study: Study

    def search(self, work: Work, count: int) -> Spent:
        """Ask for `count` trials, train and tell them.

        Raises:
            StorageLostError: the storage does not answer; what was asked for is left running.
            ValueError: the space cannot be trained, or the storage not written.
        """
        began, cpu = time.perf_counter(), time.process_time()
        try:
            with studies.reached(work.storage):
                trials = self.ask(work, count)
                asked = time.perf_counter()
                results = self.judge(work, trials)
                trained = time.perf_counter()
                for (trial, _), result in zip(trials, results, strict=True):
                    self.tell(trial, result, value(result, work.space.steps))
        except studies.StorageLostError:
            self.work = None  # reached anew at the next call
            raise
        ended = time.perf_counter()
        return Spent(ended - began, time.process_time() - cpu, asked - began, ended - trained)

    def ask(self, work: Work, count: int) -> list[tuple[Trial, Setting]]:
        """Return new trials with their settings."""
        if work != self.work:
            self.study = studies.open_study(work.space, work.storage)
            self.study.sampler = sampler(
                work.sampler, work.seed, self.index, len(self.study.get_trials(deepcopy=False))
            )
            self.work, self.mine = work, studies.owner(work.command, self.index)
        trials = []
        for _ in range(count):
            trials.append(self.study.ask())
            studies.claim(trials[-1], self.mine)
        return [(trial, work.space.suggest(trial)) for trial in trials]

    def judge(self, work: Work, trials: Sequence[tuple[Trial, Setting]]) -> list[Result]:
        """Train trials on the seeds of a search; they fail together if they cannot be trained."""
        prune = pruning.rule(work.pruner, work.space.steps, self.study, trials)
        batch = self.trainer(work.space, work.compile)
        try:
            return batch.train(
                [setting for _, setting in trials], allotted.first(work.space.seeds, allotted.TRIALS), prune
            )
        except ValueError:
            for trial, _ in trials:
                self.study.tell(trial, state=TrialState.FAIL)
            raise

    def tell(self, trial: Trial, result: Result, score: float) -> None:
        """Record what a trial's seeds did, and its value, unless another machine has given the trial up for lost."""
        with suppress(UpdateFinishedTrialError):
            trial.set_user_attr("result", result._asdict())
            if result.pruned_at is None:
                self.study.tell(trial, score)
            else:
                self.study.tell(trial, state=TrialState.PRUNED)

    def train(
        self,
        space: Space,
        compile: bool,
        settings: Sequence[Setting],
        seeds: Sequence[int],
        drop_decided: bool = False,
    ) -> list[Result]:
        """Train settings outside of a study."""
        return self.trainer(space, compile).train(settings, seeds, drop_decided=drop_decided)

    def measure(self, config: str) -> Result:
        """Train a configuration as `fit` does; return what its seeds do."""
        built = experiment(["--config", config])
        population = Population(built.module, built.data, built.config["seeds"], built.settings, built.evaluate_every)
        fit(population, built.max_steps)
        (result,) = summarize(population, len(built.settings))
        return result

    def trainer(self, space: Space, compile: bool) -> Batch:
        """Return what trains settings of a space, with its parsed experiments: tiles of a map are many and short."""
        if self.batch is None or (self.batch.space, self.batch.compile) != (space, compile):
            self.batch = Batch(space, compile)
        return self.batch


Call = Callable[..., Any]
"""What a pool calls: a function of a worker and of the values of a job."""
