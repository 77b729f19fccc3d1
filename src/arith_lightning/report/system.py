"""A system: something that people tried, what happens over seeds, why, and what trains.

Two files of `pages/` tell it, and a file of `systems/` computes what they name. `<name>.yaml` says what was asked and
what is run:

key, title: S1 to S9, and the question
posted: what was tried and reported, Markdown
runs: {label: {config: name of a configuration file, flags: [what the command changes]}}
figures: {function of the system's file: caption}
maps: {space that `search/atlas.py` draws: caption}

`<name>.md` says why, with fields: `{label.rate}` is told of one run (`OF_RUN`, and the system's own functions),
`{name}` of all of them. Its paragraphs may be broken anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from arith_lightning import reading
from arith_lightning.report import template
from arith_lightning.report.page import plain
from arith_lightning.results import shown
from arith_lightning.trained import Run, Trained

PAGES = Path(__file__).parent / "pages"
CONFIGS = "configs"
"""Folder of the configurations that pages name."""
WHY = "why the others fail"
"""Head of the column with the findings."""
Results = Mapping[str, Trained]
Fact = Callable[[Results], object]
OF_RUN: dict[str, Callable[[Trained], object]] = {
    "rate": lambda trained: trained.rate,
    "best": lambda trained: trained.summary["error"]["best"],
    "median": lambda trained: trained.summary["error"]["median"],
    "worst": lambda trained: trained.summary["error"]["worst"],
    "steps": lambda trained: trained.experiment.max_steps,
}
"""What a field may tell of any run."""


@dataclass(frozen=True)
class System:
    """One section of the report.

    Args:
        key: S1 to S9.
        title: what is asked.
        posted: what was tried and reported, Markdown.
        runs: the commands, by the label that tables and texts use.
        why: the measured reason, Markdown with fields for the numbers of the runs.
        facts: what those fields may name.
        figures: pictures by caption, drawn from the runs.
        maps: spaces whose maps `search/atlas.py` draws, with a caption.
    """

    key: str
    title: str
    posted: str
    runs: dict[str, Run]
    why: str
    facts: dict[str, Fact] = field(default_factory=dict)
    figures: dict[str, Callable[[Results], Figure]] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)

    def examine(self) -> None:
        """Refuse a text that could not be filled, before anything is trained.

        Raises:
            ValueError: a field names nothing.
        """
        template.examine(self.why, list(self.facts))

    def reason(self, results: Results) -> str:
        """Return the measured reason with its numbers."""
        return template.fill(self.why, {name: partial(fact, results) for name, fact in self.facts.items()})

    def table(self, results: Results) -> str:
        """Return the runs' answers as a Markdown table, each with the error that its own criterion measures."""
        header = ("run", "seeds that solve it", "error", "median", "best", "solved below", "median solved-at step", WHY)
        lines = [header, ("---",) * len(header)]
        for label, trained in results.items():
            s = trained.summary
            steps = s["solved_at_step_median"]
            lines.append(
                (
                    plain(label),
                    str(trained.rate),
                    plain(s["criterion"]),
                    shown(s["error"]["median"]),
                    shown(s["error"]["best"]),
                    f"{s['threshold']:.3g}",
                    "never" if steps is None else f"{steps:,.0f}",
                    trained.why,
                )
            )
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def section(self, results: Results, pictures: Mapping[str, Path]) -> str:
        """Return the section as Markdown; `pictures` are files by caption."""
        commands = "\n".join(f"{trained.run.command()}" for trained in results.values())
        images = "\n\n".join(f"![{caption}]({path})\n\n*{caption}*" for caption, path in pictures.items())
        return "\n\n".join(
            [
                f"## {self.key} {self.title}",
                f"**As posted.** {self.posted}",
                "**Over seeds.**",
                self.table(results),
                f"**Why, and what trains.** {self.reason(results)}",
                images,
                "Every number above comes from these commands:",
                f"```sh\n{commands}\n```",
            ]
        )


def load(
    name: str,
    figures: Sequence[Callable[[Results], Figure]] = (),
    of_run: Sequence[Callable[[Trained], object]] = (),
    of_all: Sequence[Fact] = (),
) -> System:
    """Read a system's two files.

    Args:
        name: their name, without ending.
        figures: functions that draw, by whose names the YAML gives captions.
        of_run: functions that fields tell of one run, as `{label.function}`.
        of_all: functions that fields tell of all runs, as `{function}`.
    """
    told: dict[str, Any] = reading.load(PAGES / f"{name}.yaml", "a page")
    runs = {
        label: Run(entry["config"], tuple(entry.get("flags", ())), CONFIGS) for label, entry in told.pop("runs").items()
    }
    draw = {function.__name__: function for function in figures}
    captions = {caption: draw[function] for function, caption in told.pop("figures", {}).items()}
    facts: dict[str, Fact] = {function.__name__: function for function in of_all}
    for label in runs:
        for fact, function in (OF_RUN | {function.__name__: function for function in of_run}).items():
            facts[f"{label}.{fact}"] = partial(told_of, label, function)
    why = folded((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    return System(runs=runs, why=why, facts=facts, figures=captions, **told)


def told_of(label: str, function: Callable[[Trained], object], results: Results) -> object:
    """Return what a function tells of one of the runs."""
    return function(results[label])


def folded(text: str) -> str:
    """Return Markdown with every paragraph on one line; tables keep their lines."""
    parts = text.strip().split("\n\n")
    return "\n\n".join(part if part.startswith("|") else " ".join(part.split()) for part in parts)
