"""Training from Python, without files: `arith_lightning.fit(population, 10_000)`."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning import Trainer

from arith_lightning.complaint import require
from arith_lightning.population import Population

QUIET = {
    "max_epochs": -1,
    "devices": 1,
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}


def fit(population: Population, steps: int, **options: Any) -> Population:
    """Train a population quietly; a plain `Trainer(max_steps=steps).fit(population)` does the same.

    Args:
        population: what is trained, in place; its `record`, `success`, `member` and `predict` say what came out.
        steps: optimizer steps of every member, from the start.
        options: of Lightning's `Trainer`, such as `callbacks`, `precision`, or `enable_progress_bar=True`.

    Returns:
        The same population.

    Raises:
        ValueError: the number of steps is not positive.
        KeyboardInterrupt: it was interrupted.
    """
    require(steps >= 1, "steps must be positive", steps, "try 10_000")
    with quiet():
        trainer = Trainer(max_steps=steps, **QUIET | options)
        trainer.fit(population)
    if trainer.interrupted:
        raise KeyboardInterrupt
    return population


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning from telling what is no news to anybody."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
