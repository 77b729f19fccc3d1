"""Criteria: success, the step that is judged, rates with intervals, sparsity. Knows tensors, never architectures."""

from arith_lightning.evaluation.rates import Rate
from arith_lightning.evaluation.sparsity import sparsity_error

__all__ = ["Rate", "sparsity_error"]
