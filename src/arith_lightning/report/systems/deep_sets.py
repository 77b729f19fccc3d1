"""Deep sets: sums and products of sets, asked of sets ten times as large as any in training."""

import torch
from matplotlib.figure import Figure

from arith_lightning.data import NumberSets
from arith_lightning.report.pictures import COLORS
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run

SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    error = {label: trained.summary["error"]["median"] for label, trained in results.items()}
    return (
        "The sum over elements is built in, so phi need only be linear on [0.5, 2]; a linear rho then goes on as it is, "
        f"and the median seed's error at size 50 is {error['sum, linear rho']:.1e}. An MLP as rho is as right on small "
        "sets and knows nothing of larger sums: it goes on as its last pieces happen to point "
        f"({error['sum, MLP rho']:.2f}). Products need logarithms: with a linear rho no phi makes a sum a product "
        f"({error['product, linear rho']:.2g}); with the exponential of a linear rho, trained on logarithms, phi learns "
        "log x and its small errors add up over 50 elements to "
        f"{error['product, exponential rho']:.3f}. Where a product unit aggregates there is one weight to learn and "
        f"nothing to approximate ({error['product unit']:.0e}). The form of rho decides extrapolation; training "
        "error does not show it."
    )


def sizes(results: Results) -> Figure:
    """Draw the mean relative error of the median seed over the size of the set."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for color, (label, trained) in zip(COLORS, results.items(), strict=False):
        operation = trained.experiment.config["data"]["init_args"]["operation"]
        errors = []
        for size in SIZES:
            data = NumberSets(operation, test_size=size)
            x, y = data.evaluation_set("extrapolation", like=trained.population.record["parameters"])
            relative = (trained.population.predict(x) - y).abs() / y.abs()
            errors.append(relative.mean((1, 2)).nan_to_num(torch.inf).median().item())
        axes.plot(SIZES, [max(error, 1e-9) for error in errors], "o-", color=color, label=label)
    axes.axvspan(1, 5, color="#999999", alpha=0.2, label="sizes in training")
    axes.set(xscale="log", yscale="log", xlabel="numbers in the set", ylabel="mean relative error, median seed")
    axes.legend(frameon=False)
    return figure


DEEP_SETS = System(
    key="S3",
    title="Do deep sets add, and multiply?",
    posted=(
        "rho(sum_i phi(x_i)), the same for every order. Claimed to learn addition over sets; expected to extend to "
        "multiplication. Here: sets of 1 to 5 numbers of U[0.5, 2] in training, sets of 50 in the test."
    ),
    runs={
        "sum, linear rho": Run("systems/deep_sets_sum"),
        "sum, MLP rho": Run("systems/deep_sets_sum_mlp_rho"),
        "product, linear rho": Run("systems/deep_sets_product_linear_rho"),
        "product, exponential rho": Run("systems/deep_sets_product"),
        "product unit": Run("systems/product_set"),
    },
    why=why,
    figures={"Error over the size of the set": sizes},
)
