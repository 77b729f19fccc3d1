"""Who proposes settings: Optuna's samplers, seeded so that no two workers, machines or starts propose the same."""

import importlib.util
import os
import socket
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from arith_lightning.search import studies

SAMPLERS = ("tpe", "random", "qmc", "cmaes", "gp")
NEEDED = {"cmaes": "cmaes", "gp": "scipy", "qmc": "scipy"}
"""Packages that Optuna's samplers import only when they are used."""
TRUSTING = ("cmaes",)
"""Samplers that unpickle what a storage holds."""
STARTUP = 8
"""Random trials before a sampler models the space."""
EXPLORED = 4
"""One in so many of TPE's proposals stays random."""


class Exploring(TPESampler):
    """TPE that goes on proposing some settings at random, in case its own crowd around a false summit."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed, n_startup_trials=STARTUP, multivariate=True, constant_liar=True)
        self.random = RandomSampler(seed=seed + 1)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is proposed jointly: nothing of a random trial."""
        return super().infer_relative_search_space(study, trial) if trial.number % EXPLORED else {}

    def sample_independent(self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution) -> Any:
        """Propose one value, of a random trial at random."""
        if trial.number % EXPLORED:
            return super().sample_independent(study, trial, name, distribution)
        return self.random.sample_independent(study, trial, name, distribution)


def require(name: str, storage: str = "") -> None:
    """Refuse a sampler whose package is missing, or which must trust a storage that others can write.

    Raises:
        ValueError: it is.
    """
    package = NEEDED.get(name)
    if package and importlib.util.find_spec(package) is None:
        raise ValueError(f"--sampler {name} needs the package {package}; pip install '.[samplers]'")
    if name in TRUSTING and (way_out := shared(storage)):
        raise ValueError(
            f"--sampler {name} runs what it finds in the storage (pickles), so nobody else may write there; "
            f"got {studies.shown(storage)}; {way_out} or take --sampler tpe"
        )


def shared(storage: str) -> str:
    """Return what would keep others from writing into a storage; nothing if they cannot."""
    if studies.is_url(storage):
        return "name a journal file of your own"
    path = Path(storage)
    if not hasattr(os, "geteuid") or not path.exists():
        return ""
    if path.stat().st_uid != os.geteuid():
        return "name a journal file of your own"
    return f"chmod go-w {path}" if path.stat().st_mode & 0o022 else ""


def sampler(name: str, seed: int, index: int, trials: int) -> BaseSampler:
    """Return a sampler whose proposals no other worker, machine or earlier start has made.

    Args:
        name: one of SAMPLERS.
        seed: the command's seed.
        index: the worker's index.
        trials: trials that the study holds already.
    """
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    host = zlib.crc32(socket.gethostname().encode())
    own = int(np.random.SeedSequence([seed, host, index, trials]).generate_state(1)[0])
    if name == "qmc":
        return QMCSampler(scramble=True, seed=own, warn_independent_sampling=False)
    if name == "random":
        return RandomSampler(seed=own)
    if name == "cmaes":
        return CmaEsSampler(seed=own, n_startup_trials=STARTUP, warn_independent_sampling=False)
    if name == "gp":
        return GPSampler(seed=own, n_startup_trials=STARTUP)
    return Exploring(own)
