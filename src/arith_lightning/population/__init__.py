"""The engine: stacking, streams of numbers, optimizers with a learning rate a member, compiled steps."""

from arith_lightning.population.population import Population

__all__ = ["Population"]
