"""Studies over populations: what may vary, who proposes, what a trial is worth, and what came out.

From a script: `Search(workers=4).run([load("parity")])` returns what came out of each study.
"""

from arith_lightning.search.declaration import load, parse
from arith_lightning.search.optimize import Search
from arith_lightning.search.outcome import Outcome
from arith_lightning.search.space import Parameter, Space

__all__ = ["Outcome", "Parameter", "Search", "Space", "load", "parse"]
