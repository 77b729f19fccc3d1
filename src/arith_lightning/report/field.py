"""The page of questions that others posted: each configuration of `configs/field`, trained and told in one row."""

import math
from pathlib import Path

from rich.console import Console

from arith_lightning import runs, shipped
from arith_lightning.report import page
from arith_lightning.results import shown
from arith_lightning.trained import Run, Trained, prepare

FOLDER = Path("configs/field")
INTRODUCTION = """Questions that people asked in public about a network that would not learn, rebuilt from their
descriptions: first as the project asks them, then, in `posted`, as they were posted. Each is one file; `python -m
arith_lightning.fit --config FILE` answers it. A seed counts if it meets the file's own criterion on the examples that
are asked for (extrapolation). *Worth* is the R^2 or the accuracy there of the median seed, *constant* that of always
giving the best single answer. The last column is what `fit` says of the seeds that fail: the finding that most of them
have, with their number ([why.md](why.md)). What makes failing ones train: [remedies.md](remedies.md)."""
HEAD = "| configuration | question | seeds that solve it | worth | constant | why the others fail |"


def cases() -> list[Run]:
    """Return the configurations, those that were posted last."""
    there = shipped.find(FOLDER)
    files = [*sorted(there.glob("*.yaml")), *sorted(there.glob("*/*.yaml"))]
    return [Run(path.stem, folder=str(FOLDER / path.parent.relative_to(there))) for path in files]


def question(path: Path) -> str:
    """Return the comment that a configuration opens with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return " ".join(line.lstrip("# ") for line in lines[:opening])


def row(run: Run, trained: Trained) -> str:
    """Return what the page says of one configuration."""
    path, told = Path(run.folder, f"{run.config}.yaml"), trained.summary
    unit = "accuracy" if "accuracy" in told else "r2"
    constant = 1 - told["baseline"]["error"] if unit == "accuracy" else 0.0
    median = told[unit]["median"]
    worth = f"{'accuracy' if unit == 'accuracy' else 'R^2'} {shown(median) if math.isfinite(median) else 'of none'}"
    cells = (
        f"[{path.stem}](../{path.as_posix()})",
        page.plain(question(shipped.find(path))),
        trained.rate,
        worth,
        shown(constant),
    )
    return f"| {' | '.join(map(str, (*cells, trained.why)))} |"


def write(folder: Path, quick: bool, workers: int, console: Console) -> list[Path]:
    """Train what is missing and write `field.md`."""
    wanted = cases()
    trained = prepare(wanted, quick, workers, console)
    rows = [row(run, trained[run]) for run in wanted]
    text = "\n\n".join(["# Questions of others", INTRODUCTION, "\n".join([HEAD, "|" + "---|" * 6, *rows])])
    runs.write(folder / "field.md", text + "\n")
    return [folder / "field.md"]
