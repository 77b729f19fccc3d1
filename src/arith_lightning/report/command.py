"""Write a report: `python -m arith_lightning.report systems` or `table --config configs/tables/<table>.yaml`.

`systems` trains what is missing (each run is a command of `fit`, kept under logs/), then writes one page as Markdown
and as HTML; interrupted, the same command goes on. `table` computes from a benchmark's runs and trains nothing;
`redraw docs/tables/*.csv` writes pages and pictures again from nothing but the tables' own CSV files; `why` trains two
small runs a finding and writes the page that explains them; `field` trains the questions of `configs/field`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from arith_lightning import runs
from arith_lightning.benchmark.table import BenchmarkTable
from arith_lightning.population.team import cores
from arith_lightning.report import field, page, why
from arith_lightning.report.system import Results, System
from arith_lightning.report.systems import SYSTEMS
from arith_lightning.report.table import publish, redraw
from arith_lightning.runs import LOGS
from arith_lightning.search import atlas, command
from arith_lightning.search.picture import PICTURE
from arith_lightning.terminal import answered
from arith_lightning.trained import Run, Trained, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse(arguments)

    def write() -> None:
        print("\n".join(map(str, WRITERS[options.what](options))))

    return answered(write, "finished runs are kept, the same command continues")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's options."""
    keys = [system.key for system in SYSTEMS]
    parser = argparse.ArgumentParser(prog="python -m arith_lightning.report", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    told = what.add_parser("systems", help="the nine things that people tried: trains what is missing, writes a page")
    told.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="KEY", help=f"of {', '.join(keys)}")
    told.add_argument("--folder", type=Path, help="where the page goes (default: logs/report/systems)")
    counted = what.add_parser("table", help="a re-measured table as Markdown, CSV, LaTeX and a picture; trains nothing")
    counted.add_argument("--config", type=Path, required=True, help="a file of configs/tables")
    counted.add_argument("--quick", action="store_true", help="of the benchmark's quick runs")
    counted.add_argument("--note", default="", help="a sentence for the page: machine, date, time taken")
    counted.add_argument("--folder", type=Path, default=LOGS / "report" / "tables", help="where the files go")
    again = what.add_parser("redraw", help="page, LaTeX and picture of tables again, from their CSV files alone")
    again.add_argument("tables", nargs="+", type=Path, metavar="CSV", help="files that `table` has written")
    explained = what.add_parser("why", help="what each finding is, with a run that shows it and one that is mended")
    explained.add_argument("--folder", type=Path, default=LOGS / "report", help="where why.md and its pictures go")
    posted = what.add_parser("field", help="questions that others posted: trains what is missing, writes their rates")
    posted.add_argument("--folder", type=Path, default=LOGS / "report", help="where field.md goes")
    for each in (told, posted):
        each.add_argument("--quick", action="store_true", help="few seeds and steps: shows that it works, no more")
        each.add_argument("--workers", type=command.positive, default=cores(), help="runs at a time (default: cores)")
    options = parser.parse_args(arguments)
    if options.what == "systems":
        options.folder = options.folder or LOGS / "report" / ("systems_quick" if options.quick else "systems")
    return options


def table(options: argparse.Namespace) -> list[Path]:
    """Write a table's files."""
    command = f"`python -m arith_lightning.benchmark --config {options.config}`"
    measured = BenchmarkTable(options.config, options.quick)
    return publish(measured, options.folder, f"Measured by {command}. {options.note}".strip())


def systems(options: argparse.Namespace) -> list[Path]:
    """Train what the chosen systems lack and write their page."""
    chosen = [system for system in SYSTEMS if system.key in options.only]
    for system in chosen:
        system.examine()
    wanted = list(dict.fromkeys(run for system in chosen for run in system.runs.values()))
    write(chosen, prepare(wanted, options.quick, options.workers, Console(stderr=True)), options)
    return [options.folder / "index.md", options.folder / "index.html"]


def redrawn(options: argparse.Namespace) -> list[Path]:
    """Write the files of tables again."""
    return [file for path in options.tables for file in redraw(path)]


def reasons(options: argparse.Namespace) -> list[Path]:
    """Write the page of findings."""
    return why.write(options.folder, Console(stderr=True))


def questions(options: argparse.Namespace) -> list[Path]:
    """Write the page of what others posted."""
    return field.write(options.folder, options.quick, options.workers, Console(stderr=True))


WRITERS = {"systems": systems, "table": table, "redraw": redrawn, "why": reasons, "field": questions}


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
        runs.picture(options.folder / path, draw(results), 110)
        drawn[caption] = path
    for space, caption in {} if options.quick else system.maps.items():
        path = Path(f"{system.key.lower()}_{len(drawn) + 1}.png")
        drawn[f"{caption} (python search/atlas.py {space})"] = path
        (options.folder / path).write_bytes(mapped(space).read_bytes())
    return drawn


def mapped(space: str) -> Path:
    """Return the picture of a space's map; what of it is missing is trained first."""
    options = atlas.parse([space])
    path: Path = options.logs / space / PICTURE
    if not path.exists():
        atlas.draw(options)
    return path


def anchor(system: System) -> str:
    """Return the name that a heading gets as the target of a link."""
    words = "".join(c for c in f"{system.key} {system.title}".lower() if c.isalnum() or c in " -_")
    return words.replace(" ", "-")
