"""Tells why networks do not train: what will not mend itself while it is seen, everything at the end."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from rich.console import Console

from arith_lightning.callbacks.harmless import harmless
from arith_lightning.diagnosis import Diagnosis, History, Task, diagnose, evidence
from arith_lightning.population import Population

LOOKS = tuple(4**k for k in range(16))
"""Evaluations after which members are looked at, so that looking costs next to nothing."""


class Doctor(Callback):
    """Looks at the unsolved members at the evaluations 1, 4, 16, 64, ... and at the last one.

    Args:
        console: where findings are told.

    Attributes:
        found: what was found at the latest look.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.task: Task | None = None
        self.history, self.looks, self.told, self.found = History(), 0, set[str](), list[Diagnosis]()

    def state_dict(self) -> dict[str, Any]:
        """Keep through a resume how errors went and what was told."""
        return {"history": self.history.plain(), "looks": self.looks, "told": sorted(self.told)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on as before the interruption."""
        self.history = History.of(state_dict["history"])
        self.looks, self.told = state_dict["looks"], set(state_dict["told"])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look, and tell what is new and certain."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        assert isinstance(pl_module, Population)
        self.history.add(trainer.global_step, pl_module.record.latest_interpolation_mse)
        self.looks += 1
        last = trainer.global_step >= trainer.max_steps
        if self.looks not in LOOKS and not last:
            return
        with harmless("the diagnosis"), torch.no_grad():
            if self.task is None or self.task.population is not pl_module:
                self.task = Task(pl_module)
            seen = evidence(pl_module, self.history, self.task)
            self.found = diagnose(seen) if seen else []
        for diagnosis in self.found:
            if diagnosis.finding.certain and diagnosis.finding.name not in self.told and not last:
                self.told.add(diagnosis.finding.name)
                self.console.print(
                    f"step {trainer.global_step:,}: {diagnosis.sentence}",
                    style="yellow",
                    highlight=False,
                    markup=False,
                )
