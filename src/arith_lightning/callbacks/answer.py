"""What a run answers, written when training ends and before anything is drawn."""

from pathlib import Path

from lightning import Callback, LightningModule, Trainer

from arith_lightning import results
from arith_lightning.callbacks.diagnosis import Doctor
from arith_lightning.population import Population


class Answer(Callback):
    """Writes a run's rows and summary into its folder.

    Args:
        folder: the run's folder.
        doctor: whose last findings belong to the summary.
    """

    def __init__(self, folder: Path, doctor: Doctor) -> None:
        self.folder, self.doctor = folder, doctor

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write both files; OSError if they do not fit."""
        assert isinstance(pl_module, Population)
        results.write(pl_module, self.folder, [found.plain() for found in self.doctor.found])
