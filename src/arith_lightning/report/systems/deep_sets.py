"""Deep sets: sums and products of sets, asked of sets ten times as large as any in training."""

import torch
from matplotlib.figure import Figure

from arith_lightning.colors import COLORS, GRAY
from arith_lightning.data import NumberSets
from arith_lightning.report.system import Results, load

SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)


def sizes(results: Results) -> Figure:
    """Draw the mean relative error of the median seed over the size of the set."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for color, (label, trained) in zip(COLORS, results.items(), strict=False):
        operation = trained.experiment.config["data"]["init_args"]["operation"]
        errors = []
        for size in SIZES:
            data = NumberSets(operation, test_size=size)
            x, y = data.evaluation_set("extrapolation", like=trained.population.record.parameters)
            relative = (trained.population.predict(x.mT).mT - y).abs() / y.abs()
            errors.append(relative.mean((1, 2)).nan_to_num(torch.inf).median().item())
        axes.plot(SIZES, [max(error, 1e-9) for error in errors], "o-", color=color, label=label)
    axes.axvspan(1, 5, color=GRAY, alpha=0.2, label="sizes in training")
    axes.set(xscale="log", yscale="log", xlabel="numbers in the set", ylabel="mean relative error, median seed")
    axes.legend(frameon=False)
    return figure


DEEP_SETS = load("deep_sets", figures=(sizes,))
