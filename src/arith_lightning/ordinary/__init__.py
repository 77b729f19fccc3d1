"""Ordinary modules and datasets of Lightning, which know nothing of populations: one Trainer a seed.

A configuration with `success: {monitor: val_acc, above: 0.95}` is one of these. `training` trains one seed of it and
gives back the `Course` of the monitored metric; seeds are shared out over processes; `answer` makes of the courses what
is made of a population: rows, a summary, a rate with its interval, curves.
"""

from arith_lightning.ordinary.success import Course, Success

__all__ = ["Course", "Success"]
