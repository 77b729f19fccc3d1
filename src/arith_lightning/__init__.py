"""Can neural networks learn arithmetic? Populations of seeds and settings answer with rates.

    import arith_lightning as al

    population = al.Population(al.architectures.NALU(), al.data.SingleModuleTask(), seeds=range(64))
    al.fit(population, 22_000)
    print(population.success.double().mean(), population.predict(x))  # (n, inputs) to (members, n, outputs)

    run = al.load("logs/nalu_mul/version_0")  # what the command `fit` has trained
    print(run.summary, run.formula, run.best(x))

`architectures`, `data` and `search` are packages of their own. Nothing is imported before it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arith_lightning import architectures, data, search
    from arith_lightning.loaded import load
    from arith_lightning.population import Population
    from arith_lightning.quick import fit

__version__ = "0.1.0"
__all__ = ["Population", "architectures", "data", "fit", "load", "search"]
FOUND_IN = {"Population": "population", "load": "loaded"}
"""Modules of what is no module itself; `fit` is one that can be called."""


def __getattr__(name: str) -> Any:
    """Import what is named, at its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in FOUND_IN:
        return getattr(importlib.import_module(f"{__name__}.{FOUND_IN[name]}"), name)
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
