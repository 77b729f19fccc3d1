"""No seed of a search is one of a run or a table."""

import itertools
from pathlib import Path

import pytest
import yaml

from arith_lightning import seeds, shipped
from arith_lightning.search import declaration, outcome

ROOT = Path(__file__).parents[1]


def test_ranges_are_disjoint_and_fit_into_32_bits():
    assert all(one.stop <= next.start for one, next in itertools.pairwise(seeds.RANGES))
    assert seeds.RANGES[0].start == 0
    assert seeds.RANGES[-1].stop <= 2**31


def test_a_search_takes_its_seeds_from_them():
    taken = [(seeds.SELECTION, outcome.SELECTION), (seeds.FRESH, outcome.FRESH), (seeds.CHARTED, outcome.CHARTED)]
    for kept, used in taken:
        assert used[0] == kept[0]
        assert used[-1] in kept
    with pytest.raises(ValueError, match="at most 10,000,000"):
        seeds.first(10_000_001, seeds.TRIALS)


@pytest.mark.parametrize("name", shipped.available())
def test_the_seeds_of_every_space_stay_in_their_range(name):
    assert declaration.load(name).seeds <= len(seeds.TRIALS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/**/*.yaml")), ids=lambda path: path.stem)
def test_the_seeds_of_every_configuration_and_table_are_those_of_reports(path):
    for found in counted(yaml.safe_load(path.read_text())):
        members = range(found) if isinstance(found, int) else found
        assert min(members) in seeds.REPORTED
        assert max(members) in seeds.REPORTED


def counted(content):
    """Yield the values of every key `seeds`, at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "seeds":
                yield value
            else:
                yield from counted(value)
    elif isinstance(content, list):
        for value in content:
            yield from counted(value)
