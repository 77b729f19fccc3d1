"""The command `arith-lightning`: each of its commands is one that `python -m` or a script starts, too."""

import sys

from arith_lightning.complaint import nearest
from arith_lightning.launch import launch
from arith_lightning.terminal import REFUSED, said

COMMANDS = {
    "fit": ("fitting", "train a configuration as a population of seeds"),
    "predict": ("fitting", "ask the best network of a run"),
    "search": ("search.optimize", "search settings that train"),
    "atlas": ("search.atlas", "draw where training succeeds over two settings"),
    "remedies": ("remedies.command", "try what makes a configuration train"),
    "benchmark": ("benchmark.command", "train the cells of a table, or measure speed"),
    "report": ("report.command", "write pages of what was trained"),
}
"""The module and a line of help of each."""
OF_FIT = ("fit", "validate", "test", "predict")
"""First words that `fit` reads itself."""


def main() -> int:
    """Start the command that is named; return its exit code."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        lines = [f"  {known:<10} {line}" for known, (_, line) in COMMANDS.items()]
        print("\n".join(["usage: arith-lightning COMMAND ...   (each says more with --help)", "", *lines]))
        return 0
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        return said(
            f"error: a command must be one of {known}; got {name}{nearest(name, COMMANDS)}; see --help", REFUSED
        )
    if name not in OF_FIT:
        sys.argv = [f"{sys.argv[0]} {name}", *rest]
    elif name == "fit" and rest[:1] and rest[0] in OF_FIT:
        sys.argv = [sys.argv[0], *rest]
    return launch(f"arith_lightning.{COMMANDS[name][0]}")
