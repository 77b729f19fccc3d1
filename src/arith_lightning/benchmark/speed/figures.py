"""What was measured: figures with their ranges, on which machine, and the file that holds them without loss."""

import csv
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from datetime import date
from pathlib import Path

import torch


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        row: title of the model.
        contestant: who it is about.
        members: models trained at once; 0 where that means nothing.
        measure: what it counts, with its unit.
        median: over the repeats.
        low: the smallest of them.
        high: the largest.
        note: what else there is to say.
    """

    row: str
    contestant: str
    members: int
    measure: str
    median: float
    low: float
    high: float
    note: str = ""


def figure(row: str, contestant: str, members: int, measure: str, values: Sequence[float], note: str = "") -> Figure:
    """Return the median and range of repeated values."""
    return Figure(row, contestant, members, measure, statistics.median(values), min(values), max(values), note)


@dataclass
class Results:
    """Figures, and what is known about the machine and the run, by name."""

    about: dict[str, str]
    figures: list[Figure] = field(default_factory=list)

    def rows(self) -> list[str]:
        """Return the titles of the models, in order."""
        return list(dict.fromkeys(figure.row for figure in self.figures))

    def get(self, row: str, contestant: str, members: int, measure: str) -> Figure | None:
        """Return one figure."""
        wanted = (row, contestant, members, measure)
        return next((found for found in self.figures if astuple(found)[:4] == wanted), None)

    def write(self, path: Path) -> None:
        """Write everything as CSV; what is about the machine stands in lines that begin with `#`."""
        with path.open("w", newline="") as file:
            file.writelines(f"# {name}: {value}\n" for name, value in self.about.items())
            writer = csv.DictWriter(file, [each.name for each in fields(Figure)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(figure) for figure in self.figures)


def read(path: Path) -> Results:
    """Return what `Results.write` has written."""
    lines = path.read_text().splitlines()
    named = (line[2:].partition(": ") for line in lines if line.startswith("# "))
    return Results({name: value for name, _, value in named}, list(parsed(line for line in lines if line[:1] != "#")))


def parsed(lines: Iterable[str]) -> Iterable[Figure]:
    """Yield the figures of a CSV file's lines."""
    for each in csv.DictReader(lines):
        numbers = {name: float(each.pop(name)) for name in ("median", "low", "high")}
        yield Figure(**each | {"members": int(each["members"])} | numbers)  # type: ignore[arg-type]


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def processor() -> str:
    """Return the name of the processor, as Linux tells it or as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        pairs = (line.partition(":") for line in lines)
        known = {name.strip(): value.strip() for name, _, value in pairs}
        parts = [known[name] for name in ("model name",) if name in known]
        parts += [
            f"{name} {known[key]}" for name, key in (("family", "cpu family"), ("model", "model")) if key in known
        ]
        return ", ".join(parts) or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
