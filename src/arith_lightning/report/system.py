"""A system: something that people tried, what happens over seeds, why, and what trains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from arith_lightning.results import shown
from arith_lightning.trained import Run, Trained

Results = Mapping[str, Trained]


@dataclass(frozen=True)
class System:
    """One section of the report.

    Args:
        key: S1 to S9.
        title: what is asked.
        posted: what was tried and reported, Markdown.
        runs: the commands, by the label that tables and texts use.
        why: the measured reason, Markdown with the numbers of the runs.
        figures: pictures by caption, drawn from the runs.
        maps: spaces whose maps `search/atlas.py` draws, with a caption.
    """

    key: str
    title: str
    posted: str
    runs: dict[str, Run]
    why: Callable[[Results], str]
    figures: dict[str, Callable[[Results], Figure]] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)

    def table(self, results: Results) -> str:
        """Return the runs' answers as a Markdown table."""
        lines = ["| run | seeds that solve it | median error | best | median solved-at step |", "|---|---|---|---|---|"]
        for label, trained in results.items():
            s = trained.summary
            error = s["error"] if s["criterion"] != "MSE" else s["extrapolation_mse"]
            steps = s["solved_at_step_median"]
            cells = [
                label,
                f"{trained.rate}",
                shown(error["median"]),
                shown(error["best"]),
                "never" if steps is None else f"{steps:,.0f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
        criteria = {f"{t.summary['criterion']} below {t.summary['threshold']:.3g}" for t in results.values()}
        return "\n".join([*lines, "", f"Solved means: {'; '.join(sorted(criteria))}."])

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
                f"**Why, and what trains.** {self.why(results)}",
                images,
                "Every number above comes from these commands:",
                f"```sh\n{commands}\n```",
            ]
        )
