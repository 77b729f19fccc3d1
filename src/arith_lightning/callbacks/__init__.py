"""What watches a population train: the progress bar, the TensorBoard dashboard, and what tells why it fails."""

from arith_lightning.callbacks.answer import Answer
from arith_lightning.callbacks.dashboard import Board, Dashboard
from arith_lightning.callbacks.diagnosis import Doctor
from arith_lightning.callbacks.progress import PopulationProgress

__all__ = ["Answer", "Board", "Dashboard", "Doctor", "PopulationProgress"]
