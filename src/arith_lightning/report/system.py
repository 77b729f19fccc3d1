"""A system: something that people tried, what happens over seeds, why, and what trains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from arith_lightning.report.page import plain
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
        """Return the runs' answers as a Markdown table, each with the error that its own criterion measures."""
        header = ("run", "seeds that solve it", "error", "median", "best", "solved below", "median solved-at step")
        lines = [header, ("---",) * len(header)]
        for label, trained in results.items():
            s = trained.summary
            error = s["error"] if s["criterion"] != "MSE" else s["extrapolation_mse"]
            steps = s["solved_at_step_median"]
            lines.append(
                (
                    plain(label),
                    str(trained.rate),
                    plain(s["criterion"]),
                    shown(error["median"]),
                    shown(error["best"]),
                    f"{s['threshold']:.3g}",
                    "never" if steps is None else f"{steps:,.0f}",
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
                f"**Why, and what trains.** {self.why(results)}",
                images,
                "Every number above comes from these commands:",
                f"```sh\n{commands}\n```",
            ]
        )
