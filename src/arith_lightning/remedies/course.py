"""What is tried of a configuration: it as it is, each remedy, the best few together, the winner on fresh seeds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from arith_lightning import runs, seeds
from arith_lightning.complaint import require
from arith_lightning.config import Experiment
from arith_lightning.remedies import panel, trying
from arith_lightning.remedies.trying import Tried
from arith_lightning.remedies.verdict import Verdict, verdict
from arith_lightning.search.pool import Job, Pool

AS_IT_IS = "as it is"
FRESH = "fresh seeds"
REMEDIED = "remedied.yaml"
"""The configuration of the winner, which `fit` runs."""
TRIED, COMBINED, LONGEST = 0.5, 0.7, 0.15
"""Shares of the time: until when single remedies and several are begun, and what one of them gets; the rest is for the
fresh seeds, of which there are twice as many."""
FEW, MOST = 6, 3
"""Remedies that are combined, and how many at most in one."""


@dataclass
class Course:
    """What is tried of one configuration, and what came out.

    Attributes:
        name: of the configuration.
        base: the experiment as it is.
        count: seeds of each try.
        seconds: time there is; what is known from an earlier start takes none.
        folder: where everything is kept.
        tried: by name; several remedies have their names joined.
        left: remedies that there was no time for.
        fits: remedies that fit the configuration.
    """

    name: str
    base: Experiment
    count: int
    seconds: float
    folder: Path = field(init=False)
    tried: dict[str, Tried] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    fits: dict[str, Experiment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base.config["seeds"] = list(seeds.first(self.count, seeds.REPORTED))
        self.panel = panel.load()
        text = panel.written(panel.short(self.base))
        self.folder = runs.folder(runs.LOGS / "remedies", self.name, text)
        runs.begin(self.folder, text)

    def run(self, pool: Pool, progress: Progress) -> None:
        """Try everything, or as much as there is time for.

        Raises:
            ValueError: there was no time for the configuration as it is.
        """
        began = time.time()
        self.task = progress.add_task(self.name, total=1, note="")
        self.attempt({AS_IT_IS: self.base}, began + TRIED * self.seconds, pool, progress)
        reached, wanted = self.tried[AS_IT_IS].step if self.tried else 0, self.base.max_steps
        rule = f"{self.name} as it is must be trained within half of --minutes"
        require(reached >= wanted, rule, f"step {reached:,} of {wanted:,}", "give it more, or fewer --seeds")
        if self.solved:
            return
        single = {name: panel.applied([name], self.panel, self.base) for name in sorted(self.panel, key=self.unadvised)}
        self.fits = {name: built for name, built in single.items() if built}
        self.attempt(self.fits, began + TRIED * self.seconds, pool, progress)
        self.left = [name for name in self.fits if name not in self.tried]
        self.combine(began + COMBINED * self.seconds, pool, progress)
        if self.winner != AS_IT_IS:
            self.refresh(pool, progress)

    @property
    def solved(self) -> bool:
        """Whether every seed solves it as it is."""
        return all(self.tried[AS_IT_IS].success)

    @property
    def advice(self) -> list[str]:
        """What the findings on it as it is name, the main finding's first."""
        return [name for found in self.tried[AS_IT_IS].found for name in found["remedies"]]

    def unadvised(self, name: str) -> bool:
        """Return whether no finding names a remedy; those that are named are tried first."""
        return name not in self.advice

    @property
    def winner(self) -> str:
        """What solves it for most seeds."""
        return self.ranked[0]

    @property
    def ranked(self) -> list[str]:
        """What was tried on the same seeds, the best first."""
        return sorted((name for name in self.tried if name != FRESH), key=lambda name: self.tried[name].worth)[::-1]

    def combine(self, until: float, pool: Pool, progress: Progress) -> None:
        """Try the best few together, greedily, up to three, as long as some seed does not solve it."""
        before = self.tried[AS_IT_IS]
        single = [name for name in self.ranked if name in self.fits]
        few = [name for name in single if verdict(before, self.tried[name]) != Verdict.WORSE][:FEW]
        best = few[:1]
        while best and len(best) < MOST and not all(self.tried[joined(best)].success):
            sets = [[*best, name] for name in few if name not in best]
            wanted = {joined(names): panel.applied(names, self.panel, self.base) for names in sets}
            self.fits |= {name: built for name, built in wanted.items() if built}
            self.attempt({name: self.fits[name] for name in wanted if name in self.fits}, until, pool, progress)
            better = max([best, *(names for names in sets if joined(names) in self.tried)], key=self.worth)
            if better == best:
                return
            best = better

    def worth(self, names: Sequence[str]) -> tuple[float, float]:
        """Return what remedies together are worth."""
        return self.tried[joined(names)].worth

    def refresh(self, pool: Pool, progress: Progress) -> None:
        """Measure the best on seeds that nothing else has used; write the configuration that does the same again."""
        winner = self.winner
        config = panel.short(self.fits[winner])
        config["seeds"] = list(seeds.first(2 * self.count, seeds.REMEDIED))
        config["trainer"]["max_steps"] = self.tried[winner].step
        built = panel.build(config)
        self.attempt({FRESH: built}, float("inf"), pool, progress)
        told = f"# {winner}: {self.tried[FRESH].rate} of the seeds in this file solve it\n"
        runs.write(self.folder / REMEDIED, told + panel.written(config))

    def attempt(self, wanted: Mapping[str, Experiment], until: float, pool: Pool, progress: Progress) -> None:
        """Try configurations that are not known to their end, until a moment; known ones are read back."""
        sent: list[tuple[str, Path, list[int]]] = []
        progress.update(self.task, total=len({*self.tried, *wanted}))

        def jobs() -> Iterator[Job]:
            for name, built in wanted.items():
                config = panel.short(built)
                text = panel.written(config)
                known = trying.recall(self.folder / "tries", name, text)
                if known:
                    self.enter(name, known, progress)
                now = time.time()
                if (known is None or known.step < built.max_steps) and now < until:
                    sent.append((name, trying.begin(self.folder / "tries", name, text), config["seeds"]))
                    share = min(until, now + LONGEST * self.seconds) if name in self.fits else until
                    yield str(sent[-1][1].absolute()), share

        for done in pool.each(trying.measure, jobs()):
            if done:
                name, file, members = sent[done[0]]
                trying.keep(file, done[1], members)
                self.enter(name, done[1], progress)

    def enter(self, name: str, tried: Tried, progress: Progress) -> None:
        """Take in what a try did, and show the best so far."""
        self.tried[name] = tried
        note = f"best {self.tried[self.winner].rate}, {self.winner}"
        progress.update(self.task, completed=len(self.tried), note=note)


def joined(names: Sequence[str]) -> str:
    """Return the name of several remedies together."""
    return " + ".join(names)
