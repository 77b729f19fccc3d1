import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning import Trainer

from arith_lightning.architectures import (
    RNN,
    ArithmeticModule,
    BitSerial,
    DeepSets,
    ProductSet,
    RecurrentUnit,
    SineParity,
)
from arith_lightning.data import (
    ArithmeticDataModule,
    BinaryMultiplication,
    IntegerParity,
    NumberSequences,
    NumberSets,
    SequenceParity,
    SingleModuleTask,
)

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)

TRAINING = {
    "schedule": "cosine",
    "schedule_steps": 30,
    "penalty_weight": 0.5,
    "penalty_start": 5,
    "penalty_end": 15,
    "gradient_clip_norm": 0.7,
    "gradient_clip_value": 0.3,
    "weight_decay": 0.01,
}


@pytest.fixture
def trainer() -> Callable[..., Trainer]:
    def build(max_steps: int, **kwargs: Any) -> Trainer:
        options = {
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "accelerator": "cpu",
            "max_epochs": -1,
        }
        return Trainer(max_steps=max_steps, **{**options, **kwargs})

    return build


@pytest.fixture
def double():
    """Double precision, in which the two ways differ by rounding alone however an optimizer magnifies it."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def architectures() -> list[type[ArithmeticModule]]:
    """Everything exported, so that a new architecture is tested by its export."""
    from arith_lightning import architectures as package

    exported = (getattr(package, name) for name in package.__all__)
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, ArithmeticModule)]
    return [kind for kind in kinds if kind is not ArithmeticModule]


def datasets() -> list[type[ArithmeticDataModule]]:
    from arith_lightning import data as package

    exported = (getattr(package, name) for name in package.__all__)
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, ArithmeticDataModule)]
    return [kind for kind in kinds if kind is not ArithmeticDataModule]


TASKS: dict[type[ArithmeticModule], Callable[[], ArithmeticDataModule]] = {
    BitSerial: lambda: BinaryMultiplication(bits=3, coding="zero_one", train_share=1.0, batch_size=None),
    RNN: lambda: SequenceParity(4, 9, 20, batch_size=16),
    RecurrentUnit: lambda: NumberSequences(length=3, test_length=9, test_size=20, batch_size=16),
    DeepSets: lambda: NumberSets(max_size=1, test_size=3, batch_size=16),
    ProductSet: lambda: NumberSets("product", max_size=1, test_size=3, batch_size=16),
    SineParity: lambda: IntegerParity(20, 30),
}
"""Small datasets for architectures that do not take the two operands of the single module task."""


def task_for(kind: type[ArithmeticModule], **kwargs: Any) -> ArithmeticDataModule:
    """A small dataset whose inputs an architecture takes."""
    return TASKS[kind]() if kind in TASKS else SingleModuleTask(batch_size=16, **kwargs)
