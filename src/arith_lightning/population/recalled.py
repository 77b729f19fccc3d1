"""A population from its checkpoint, as Lightning's modules are loaded."""

from pathlib import Path
from typing import Any, Self

from arith_lightning import checkpoints
from arith_lightning.again import parameters
from arith_lightning.complaint import require


class Recalled:
    """Loaded from a checkpoint where it is told what the numbers belong to."""

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *_: Any, **built: Any) -> Self:
        """Return a population of these arguments as a checkpoint has it.

        Args:
            checkpoint_path: the checkpoint.
            built: arguments of the population, `module` and `data` at least: a checkpoint holds numbers alone.

        Raises:
            ValueError: they are missing, or the checkpoint is of another population.
        """
        way_out = "give module= and data=, or take arith_lightning.load('logs/<experiment>/version_0').population"
        missing = [name for name in ("module", "data") if name not in built]
        require(not missing, "a checkpoint holds numbers, not what they belong to", f"no {', '.join(missing)}", way_out)
        known = parameters(cls)
        population: Any = cls(**{name: value for name, value in built.items() if name in known})
        population.set_extra_state(checkpoints.state(checkpoints.read(Path(checkpoint_path))))
        return population
