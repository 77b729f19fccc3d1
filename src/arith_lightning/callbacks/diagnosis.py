"""Tells why nothing trains, while it does not: the sentences of `evaluation.diagnosis`, each once, when first seen."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from rich.console import Console

from arith_lightning.callbacks.harmless import harmless
from arith_lightning.evaluation.diagnosis import Diagnosis, diagnose
from arith_lightning.population import Population, evidence


class Doctor(Callback):
    """Looks at the unsolved members at the evaluations 1, 2, 4, 8, ... and at the last one.

    Attributes:
        found: what was found at the latest look.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.looks, self.told, self.found = 0, set[str](), list[Diagnosis]()

    def state_dict(self) -> dict[str, Any]:
        """Keep through a resume what was told."""
        return {"looks": self.looks, "told": sorted(self.told)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on as before the interruption."""
        self.looks, self.told = state_dict["looks"], set(state_dict["told"])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look, and tell what is new."""
        if trainer.state.fn != TrainerFn.FITTING:
            return
        self.looks += 1
        if self.looks & (self.looks - 1) and trainer.global_step < trainer.max_steps:
            return
        assert isinstance(pl_module, Population)
        with harmless("the diagnosis"), torch.no_grad():
            seen = evidence(pl_module, trainer.global_step)
            self.found = diagnose(seen) if seen else []
        for symptom, sentence in self.found:
            if symptom not in self.told:
                self.told.add(symptom)
                self.console.print(
                    f"step {trainer.global_step:,}: {sentence}", style="yellow", highlight=False, markup=False
                )
