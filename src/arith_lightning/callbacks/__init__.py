"""What watches a population train: the progress bar and the TensorBoard dashboard."""

from arith_lightning.callbacks.dashboard import Dashboard
from arith_lightning.callbacks.diagnosis import Doctor
from arith_lightning.callbacks.progress import PopulationProgress

__all__ = ["Dashboard", "Doctor", "PopulationProgress"]
