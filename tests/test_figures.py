"""Pictures, checked through what was drawn on their axes."""

import numpy as np
import pytest
import torch

from arith_lightning import figures
from arith_lightning.architectures import NMU, SineParity
from arith_lightning.data import IntegerParity, SingleModuleTask
from arith_lightning.population import Population


@pytest.fixture
def population():
    members = Population(NMU(), SingleModuleTask(), seeds=range(6))
    members.evaluate(0)
    return members


def test_curves_show_the_median_and_leave_gaps_where_errors_are_not_finite(population):
    errors = [[1e-3, 1e-2, 1e-1, 1.0, np.inf], [0.0, 1e-4, 1e-3, 1e-2, 1.0]]
    history = [
        {"step": 10 * k, "success_rate": k / 2, "interpolation_mse": row, "extrapolation_mse": row}
        for k, row in enumerate(errors)
    ]
    above, below = figures.curves(history, population).axes
    median = above.lines[0]
    assert median.get_xdata().tolist() == [0, 10]
    assert median.get_ydata().tolist() == [1e-1, 1e-3]
    assert above.lines[-1].get_ydata() == [population.threshold[0].item()] * 2
    assert below.lines[0].get_ydata().tolist() == [0, 0.5]
    assert figures.positive(np.array([0.0, np.inf]))[0] == figures.FLOOR


def test_members_are_counted_by_success(population):
    population.record.error[:2] = 0
    legend = figures.members(population).axes[0].get_legend().get_texts()
    assert [text.get_text() for text in legend][:2] == ["solved (2)", "not solved (4)"]


@pytest.mark.parametrize("spread", [0.0, 1e-15, 1.0])
def test_weights_are_all_in_the_histogram_however_close_they_are(population, spread):
    population.record.parameters = 1 + spread * torch.rand(2, 6, dtype=torch.float64)
    patches = figures.weights(population).axes[0].patches
    assert sum(patch.get_height() for patch in patches) == 12


def test_parity_is_a_grid_of_right_and_wrong_and_numbers_are_a_scatter(population):
    assert figures.predictions(population, 0).axes[0].get_ylabel() == "predicted"
    parity = Population(SineParity(init_low=np.pi / 2, init_high=np.pi / 2), IntegerParity(20, 120), seeds=[0])
    parity.evaluate(0)
    axes = figures.predictions(parity, 0).axes[0]
    assert axes.get_title() == "right on 120 of 120"
    assert axes.images[0].get_array().shape == (3, 50)
