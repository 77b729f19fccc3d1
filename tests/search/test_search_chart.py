from dataclasses import replace

import numpy as np
import pytest
from example import GOOD, RATE, changed

from arith_lightning import shipped
from arith_lightning.search import chart as charts
from arith_lightning.search import declaration
from arith_lightning.search.picture import PICTURE, draw, edges

LOW, HIGH = "model.init_args.init_low", "model.init_args.init_high"
MAP = {
    "x": RATE,
    "y": {"key": LOW, "until": HIGH, "low": 0.0, "high": 3.2},
    "panels": "data.init_args.train_end",
    "theory": "sine_basin",
}
SPACE = {
    RATE: {"low": 0.01, "high": 0.1, "log": True},
    "data.init_args.train_end": {"choices": [4, 8], "also": ["data.init_args.test_end"]},
}


@pytest.fixture
def chart(tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "TILE_EXAMPLES", 4 * 2 * 4)
    space = declaration.parse("starts", changed(steps=40, space=SPACE, map=MAP, fixed={"model.init_args.damping": 0.0}))
    return charts.Chart(space, (2, 4), range(2), tmp_path)


def test_cells_are_panels_of_rows_of_columns(chart):
    cells = chart.cells()
    assert len(cells) == 2 * 4 * 2
    assert [cell["data.init_args.train_end"] for cell in cells] == [4] * 8 + [8] * 8
    assert [cell[LOW] for cell in cells[:8:2]] == pytest.approx([0.0, 0.8, 1.6, 2.4])
    assert [cell[HIGH] for cell in cells[:8:2]] == pytest.approx([0.8, 1.6, 2.4, 3.2])
    assert [cell[RATE] for cell in cells[:2]] == pytest.approx([0.01, 0.1])


def test_tiles_cover_every_cell_once_and_do_not_span_panels(chart):
    tiles = chart.tiles()
    assert [cell for tile in tiles for cell in tile] == list(range(16))
    assert [len(tile) for tile in tiles] == [4, 4, 2, 2, 2, 2]


def test_an_interrupted_map_goes_on_with_the_tiles_that_are_missing(chart, pool, tmp_path):
    class Interrupted(type(pool)):
        def each(self, function, arguments):
            for index, done in enumerate(super().each(function, arguments)):
                if index == 5:
                    raise KeyboardInterrupt
                yield done

    with pytest.raises(KeyboardInterrupt):
        chart.train(Interrupted(), lambda n: None)
    assert len(list((tmp_path / charts.TILES).iterdir())) == 2
    advanced = []
    resumed = chart.train(pool, advanced.append)
    assert len(pool.calls) == 4
    assert sum(advanced) == 16
    assert not (tmp_path / charts.TILES).exists()
    whole = replace(chart, folder=tmp_path / "whole").train(type(pool)(), lambda n: None)
    assert [r[:3] for r in resumed] == [r[:3] for r in whole]
    assert [r.excess for r in resumed] == pytest.approx([r.excess for r in whole])


def test_a_finished_map_is_not_trained_again_but_another_one_is(chart, pool):
    first = chart.train(pool, lambda n: None)
    calls = len(pool.calls)
    assert [r[:4] for r in chart.train(pool, lambda n: None)] == [r[:4] for r in first]
    assert len(pool.calls) == calls
    replace(chart, seeds=range(3)).train(pool, lambda n: None)
    assert len(pool.calls) > calls


def test_a_map_finds_the_basin_that_theory_draws(chart, pool):
    found = chart.train(pool, lambda n: None)
    with np.load(chart.folder / charts.ARRAYS) as arrays:
        rates = arrays["successes"] / arrays["n"]
        assert arrays["y"].tolist() == pytest.approx([0.4, 1.2, 2.0, 2.8])
    assert rates.shape == (2, 4, 2)
    # N = 4: 2.17 / N reaches from 1.03 to 2.11, so only starts in the middle two rows can be right at a small rate
    assert rates[0, [0, 3], 0].max() == 0.0
    assert rates[0, 1:3, 0].min() > 0.0
    figure = draw(chart, found)
    assert (chart.folder / PICTURE).stat().st_size > 10_000
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["pi/2 - 2.17/N", "pi/2 + 2.17/N"]
    assert figure.axes[0].lines[0].get_ydata()[0] == pytest.approx(np.pi / 2 - 2.17 / 4)


def test_a_map_of_every_space_has_cells_that_can_be_built():
    spaces = [space for name in shipped.available() if (space := declaration.load(name)).axes]
    assert {"multiplication", "parity"} <= {space.name for space in spaces}
    for space in spaces:
        cells = charts.Chart(space, (2, 2), range(2), shipped.ROOT).cells()
        assert space.build(cells[-1]).max_steps == space.steps


def test_borders_of_logarithmic_cells_lie_between_their_middles():
    axis = declaration.parse("axis", GOOD).axes["x"]
    assert edges(axis, 3).tolist() == pytest.approx([10**-3.75, 10**-2.25, 10**-0.75, 10**0.75])
