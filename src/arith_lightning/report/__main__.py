"""Write a report: `python -m arith_lightning.report systems`.

Trains what is missing (each run is a command of `fit`, kept under logs/), then writes one page as Markdown and as HTML.
Interrupted, the same command goes on.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from arith_lightning.report import page
from arith_lightning.report.system import Results, System
from arith_lightning.report.systems import SYSTEMS
from arith_lightning.report.trained import LOGS, Run, Trained, recall, train

INTERRUPTED = 130
ATLAS = Path("search") / "atlas.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    try:
        chosen = [system for system in SYSTEMS if system.key in options.only]
        trained = prepare(chosen, options, console)
        write(chosen, trained, options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; finished runs are kept, the same command continues", file=sys.stderr)
        return INTERRUPTED
    print(f"{options.folder / 'index.md'}\n{options.folder / 'index.html'}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    keys = [system.key for system in SYSTEMS]
    parser = argparse.ArgumentParser(prog="python -m arith_lightning.report", description=__doc__)
    parser.add_argument("what", choices=["systems"], help="systems: the nine things that people tried")
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="KEY", help=f"of {', '.join(keys)}")
    parser.add_argument(
        "--quick", action="store_true", help="few seeds and steps: shows that it works, answers nothing"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="runs at a time (default: one a core)")
    parser.add_argument("--folder", type=Path, help="where the page goes (default: logs/report/systems)")
    options = parser.parse_args(arguments)
    options.folder = options.folder or LOGS / "report" / ("systems_quick" if options.quick else "systems")
    if options.workers < 1:
        parser.error(f"--workers must be positive; got {options.workers}; try 1")
    return options


def prepare(systems: Sequence[System], options: argparse.Namespace, console: Console) -> dict[Run, Trained]:
    """Return every run of the systems, trained."""
    wanted = list(dict.fromkeys(run for system in systems for run in system.runs.values()))
    known = {run: recall(run, options.quick) for run in wanted}
    missing = [run for run, trained in known.items() if trained is None]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    if missing:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("runs", total=100 * len(missing))

            def advance(run: Run, share: float) -> None:
                progress.update(task, advance=100 * share, description=f"runs ({run.config})")

            train(missing, options.quick, options.workers, advance)
    found = {run: known[run] or recall(run, options.quick) for run in wanted}
    lost = [run.command() for run, trained in found.items() if trained is None]
    assert not lost, f"trained but not found: {lost}"
    return {run: trained for run, trained in found.items() if trained is not None}


def write(systems: Sequence[System], trained: dict[Run, Trained], options: argparse.Namespace) -> None:
    """Draw every picture and write the page."""
    options.folder.mkdir(parents=True, exist_ok=True)
    sections = [f"- [{system.key} {system.title}](#{anchor(system)})" for system in systems]
    parts = ["\n".join(sections)]
    if options.quick:
        parts.insert(
            0, "**A quick run with few seeds and steps: it shows that the report works, its rates mean nothing.**"
        )
    for system in systems:
        results = {label: trained[run] for label, run in system.runs.items()}
        parts.append(system.section(results, pictures(system, results, options)))
    page.publish("Nine systems: as posted, explained, repaired", "\n\n".join(parts), options.folder)


def pictures(system: System, results: Results, options: argparse.Namespace) -> dict[str, Path]:
    """Draw a system's figures and maps into the folder; return them by caption, relative to it."""
    drawn: dict[str, Path] = {}
    for caption, draw in system.figures.items():
        path = Path(f"{system.key.lower()}_{len(drawn) + 1}.png")
        draw(results).savefig(options.folder / path, dpi=110)
        drawn[caption] = path
    for space, caption in {} if options.quick else system.maps.items():
        path = Path(f"{system.key.lower()}_{len(drawn) + 1}.png")
        drawn[f"{caption} (python search/atlas.py {space})"] = path
        source = LOGS / "atlas" / space / "map.png"
        if not source.exists() and subprocess.run([sys.executable, str(ATLAS), space]).returncode:
            raise ValueError(
                f"the map of {space} could not be drawn; run the report from the project's folder, where {ATLAS} is"
            )
        (options.folder / path).write_bytes(source.read_bytes())
    return drawn


def anchor(system: System) -> str:
    """Return the name that a heading gets as the target of a link."""
    words = "".join(c for c in f"{system.key} {system.title}".lower() if c.isalnum() or c in " -_")
    return words.replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
