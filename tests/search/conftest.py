import pytest

from arith_lightning.search.worker import Worker


class Inline:
    """A pool of no processes: calls are made when they are asked for."""

    workers = 1

    def __init__(self):
        self.calls, self.worker = [], Worker()

    def each(self, function, arguments):
        for index, values in enumerate(arguments):
            self.calls.append(values)
            yield None
            yield index, function(self.worker, *values)


@pytest.fixture
def pool():
    return Inline()
