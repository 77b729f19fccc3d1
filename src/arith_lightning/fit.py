"""Train one experiment as a population of seeds: `python -m arith_lightning.fit --config configs/nalu_mul.yaml`.

From Python this module is a function: `arith_lightning.fit(population, steps)`, which `quick` describes.
"""

import sys
from types import ModuleType
from typing import Any

from arith_lightning.launch import launch


def main() -> int:
    """Run the command; return its exit code."""
    return launch("arith_lightning.fitting")


class Function(ModuleType):
    """A module that can be called."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Train a population: see `quick.fit`."""
        from arith_lightning.quick import fit

        return fit(*arguments, **options)


if __name__ == "__main__":
    sys.exit(main())
sys.modules[__name__].__class__ = Function
