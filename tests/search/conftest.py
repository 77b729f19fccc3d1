import pytest

from arith_lightning.search.worker import Worker


class Inline:
    """A pool of no processes: calls are made when they are asked for."""

    workers = 1

    def __init__(self):
        self.calls, self.worker = [], Worker()

    def each(self, function, arguments):
        index = 0
        for values in arguments:
            yield None
            if values is not None:
                self.calls.append(values)
                yield index, function(self.worker, *values)
                index += 1


@pytest.fixture
def pool():
    return Inline()
