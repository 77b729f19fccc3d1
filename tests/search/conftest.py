import pytest


class Inline:
    """A pool of no processes: calls are made when they are asked for."""

    workers = 1

    def __init__(self):
        self.calls = []

    def each(self, function, arguments):
        for index, values in enumerate(arguments):
            self.calls.append(values)
            yield None
            yield index, function(*values)


@pytest.fixture
def pool():
    return Inline()
