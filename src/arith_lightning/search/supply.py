"""Keeps the workers of one command supplied with trials until a study is full.

Only the command decides how many trials a worker asks for, so that no study ends above its number of trials and no
lock is needed, which a killed worker might hold. Commands on other machines are seen through the storage.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from optuna.study import Study
from optuna.trial import FrozenTrial

from arith_lightning.search import studies
from arith_lightning.search.pool import Pool
from arith_lightning.search.worker import Spent, Work, Worker


class Supply:
    """The trials of one study that one command gives to its workers.

    Args:
        study: the study, opened by the command.
        work: what is asked of the workers.
        pool: the workers.
    """

    def __init__(self, study: Study, work: Work, pool: Pool) -> None:
        self.study, self.work, self.pool = study, work, pool
        self.finished: list[FrozenTrial] = []
        """Trials of the study that are done, as last seen."""
        self.waiting = ""
        """What trials of others the command waits for; empty while it has work of its own."""
        self._since = 0.0
        self._given: dict[int, int] = {}
        """Trials of each call that is not answered yet, whether they are asked for already or not."""

    def fill(self) -> Iterator[Spent | None]:
        """Fill the study; yield what each batch took, and None now and then."""
        self._reach(lambda: studies.reclaim(self.study))
        for done in self.pool.each(Worker.search, self._batches()):
            if done is None:
                yield None
            else:
                del self._given[done[0]]
                yield done[1]
        self._reach(self._free)

    def take_back(self, workers: Iterable[int]) -> None:
        """Queue what these workers have not finished again."""
        gone = {(self.work.command, worker) for worker in workers}
        self._reach(lambda: studies.reclaim(self.study, gone))

    def _batches(self) -> Iterator[tuple[Work, int] | None]:
        index = 0
        while time.time() < self.work.deadline:
            if count := min(self.work.batch, self._reach(self._free)):
                self._given[index] = count
                index += 1
                yield self.work, count
            elif len(self.finished) < self.work.space.trials:
                yield None
            else:
                return

    def _free(self) -> int:
        """Return how many trials nobody has finished or is at work on."""
        others = studies.elsewhere(self.study, self.work.command)
        self.finished = studies.finished(self.study)
        free = self.work.space.trials - len(self.finished) - sum(self._given.values()) - len(others)
        if free > 0 or self._given or not others:
            self.waiting, self._since = "", time.monotonic()
        else:
            studies.reclaim(self.study)
            self.waiting = f"waiting for {studies.described(others)}, since {time.monotonic() - self._since:.0f} s"
        return max(0, free)

    def _reach(self, action: Callable[[], int]) -> int:
        """Do something with the storage, as soon as that answers."""
        while True:
            try:
                with studies.reached(self.work.storage):
                    return action()
            except studies.StorageLostError as error:
                self.pool.setback(str(error))
                studies.await_storage(self.work.storage)
