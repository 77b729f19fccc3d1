"""The page of findings: each explained, with a run that shows it beside one that is mended."""

import inspect
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress

from arith_lightning import quick, reading, runs
from arith_lightning.callbacks import Doctor
from arith_lightning.colors import BLUE, ORANGE
from arith_lightning.config import experiment, seeds_of
from arith_lightning.diagnosis import ORDER, Finding
from arith_lightning.evaluation import Rate
from arith_lightning.figures import positive
from arith_lightning.population import Population
from arith_lightning.report import page

EXAMPLES = Path(__file__).with_name("pages") / "why.yaml"
INTRODUCTION = """`fit` looks at all networks that fail, on examples of their training, and says why: each network has
one main finding, the first of this list that holds, from cause to symptom. `python -m arith_lightning.remedies --config
...` then tries what the finding names, on the same seeds, and says what helped.

Below, each finding has a run that shows it (left) and one that is mended (right): the error of eight seeds, in the
range of their training, over the steps; dotted what always answering the mean would get."""


@dataclass
class Example:
    """A run of `fit`, trained here."""

    arguments: str
    population: Population
    doctor: Doctor

    @property
    def rate(self) -> Rate:
        """Share of its seeds that solve it."""
        return Rate(int(self.population.success.sum()), len(self.population))


def arguments(name: str, mended: bool) -> str:
    """Return the arguments of `fit` that show a finding, or mend it."""
    content = reading.load(EXAMPLES, "the examples of findings")
    own = content[name]
    model = own.get("instead", own["model"]) if mended else own["model"]
    return " ".join([own["data"], model, *([own["more"]] if mended and "more" in own else []), content["all"]])


def train(arguments: str) -> Example:
    """Train what arguments of `fit` ask for."""
    built = experiment(shlex.split(arguments))
    population = Population(
        built.module, built.data, seeds_of(built.config["seeds"]), evaluate_every=built.config["evaluate_every"]
    )
    doctor = Doctor(Console(quiet=True))
    precision = {"precision": given} if (given := built.config["trainer"]["precision"]) else {}
    quick.fit(population, built.max_steps, callbacks=[doctor], **precision)
    return Example(arguments, population, doctor)


def write(folder: Path, console: Console) -> list[Path]:
    """Train both runs of every finding; write the page and its pictures."""
    (folder / "why").mkdir(parents=True, exist_ok=True)
    parts = [INTRODUCTION, "\n".join(f"- [{each.name}](#{each.name.replace(' ', '-')})" for each in ORDER)]
    with Progress(console=console, disable=not console.is_terminal) as progress:
        for finding in progress.track(ORDER, description="findings"):
            fails, mended = (train(arguments(finding.name, mended)) for mended in (False, True))
            path = Path("why") / f"{finding.name.replace(' ', '_')}.png"
            runs.picture(folder / path, picture(fails, mended), 110)
            parts.append(section(finding, fails, mended, path))
    runs.write(folder / "why.md", "\n\n".join(["# Why it does not train", *parts]) + "\n")
    return [folder / "why.md"]


def section(finding: Finding, fails: Example, mended: Example, path: Path) -> str:
    """Return what the page says of one finding."""
    words = reading.load(EXAMPLES, "the examples of findings")[finding.name]["words"]
    told = next((each.sentence for each in fails.doctor.found if each.finding is finding), "not found here")
    advice = f"Remedies that are tried first: {', '.join(finding.remedies)}.\n\n" if finding.remedies else ""
    return (
        f"## {finding.name}\n\n{words}\n\n{inspect.cleandoc(finding.page)}\n\n> {page.plain(told)}\n\n{advice}"
        f"![{finding.name}: {fails.rate} as it is, {mended.rate} mended]({path})\n\n"
        f"```\npython -m arith_lightning.fit {fails.arguments}\npython -m arith_lightning.fit {mended.arguments}\n```"
    )


def picture(fails: Example, mended: Example) -> Figure:
    """Draw the errors of both runs over their steps, each seed a line."""
    figure = Figure(figsize=(7.2, 2.4), layout="constrained")
    axes: list[Axes] = list(figure.subplots(1, 2, sharey=True))
    if any(np.isfinite(torch.stack(example.doctor.history.errors)).any() for example in (fails, mended)):
        axes[0].set_yscale("log")
    for each, example, color, word in zip(axes, (fails, mended), (ORANGE, BLUE), ("as it is", "mended"), strict=True):
        draw(each, example, color)
        each.set_title(f"{word}: {example.rate.successes} of {example.rate.n} seeds solve it", fontsize=8)
    axes[0].set_ylabel("mean squared error", fontsize=8)
    return figure


def draw(axes: Axes, example: Example, color: Any) -> None:
    """Draw one run: its error on what it is asked, and that of the mean."""
    population, history = example.population, example.doctor.history
    errors = positive(np.array([row.tolist() for row in history.errors]))
    axes.plot(history.steps, errors, color=color, linewidth=1, alpha=0.7)
    baseline = population.examples(0, "interpolation")[1].double().var(-1, correction=0).mean().item()
    axes.axhline(baseline, color="black", linestyle=":", linewidth=1)
    if not np.isfinite(errors).any():
        axes.text(0.5, 0.5, "no error is a number", transform=axes.transAxes, ha="center", fontsize=8)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=7)
