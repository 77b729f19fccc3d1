"""Why networks do not train: evidence from a population, findings from cause to symptom, each with remedies."""

from arith_lightning.diagnosis.finding import Diagnosis, Finding
from arith_lightning.diagnosis.history import History
from arith_lightning.diagnosis.looking import evidence
from arith_lightning.diagnosis.order import ORDER, diagnose
from arith_lightning.diagnosis.task import Task

__all__ = ["ORDER", "Diagnosis", "Finding", "History", "Task", "diagnose", "evidence"]
