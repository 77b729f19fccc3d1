"""A small dense network on integer pairs: why its loss stays at 7e9, and the smallest one that multiplies."""

import torch
from matplotlib.figure import Figure

from arith_lightning.report.pictures import COLORS, rates, seeds
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run, Trained

POSTED = {
    "a + b": "add",
    "a - b": "sub",
    "a * b": "mul",
    "a * a": "square",
    "7 a": "scale",
    "a + 7": "shift",
}


def dead(trained: Trained) -> torch.Tensor:
    """Return which members answer 0 whatever the input, `(members,)`."""
    x, _ = trained.population.data.evaluation_set("interpolation", like=trained.population.record["parameters"])
    return (trained.population.predict(x) == 0).all(-1).all(-1)


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    told = []
    for label in POSTED:
        trained = results[f"{label}, as posted"]
        alive = trained.population.record["extrapolation_mse"][~dead(trained)].sqrt()
        rest = f"the others have an RMSE of {alive.median().item():.3g}" if len(alive) else "no other"
        told.append(f"{label}: {seeds(trained.population, dead(trained))} dead, {rest}")
    _, y = results["a * b, as posted"].population.data.evaluation_set("interpolation")
    return (
        f"A loss of 7e9 is E[y^2] = {y.square().mean().item():.3g}, the error of answering 0. The last ReLU is off for "
        "every input and passes no gradient back, so nothing changes any more; that adding works is the other side of "
        f"the same coin ({'; '.join(told)}). A network that lives still only bends straight pieces, and no product is "
        "exact. What multiplies is a square: (a + b)^2 - (a - b)^2 = 4 a b. One hidden layer of eight units x^2, "
        "numbers scaled by 2^-9 and a falling rate give every product of 500 to 999 exactly, trained below 500: "
        f"{results['a * b, eight squares'].rate} of the seeds; four units {results['a * b, four squares'].rate}, two, "
        f"the fewest that can, {results['a * b, two squares'].rate}; on 0 to 499 itself eight give "
        f"{results['a * b, eight squares, asked 0 to 499'].rate}. Squares likewise: "
        f"{results['a * a, eight squares'].rate}."
    )


def answers(results: Results) -> Figure:
    """Draw predicted against actual products of three seeds as posted and of one with squares."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    labels = ["a * b, as posted", "a * b, eight squares"]
    for axes, label in zip(figure.subplots(1, 2), labels, strict=True):
        population = results[label].population
        x, y = population.data.evaluation_set("extrapolation", like=population.record["parameters"])
        x, y = x[:, ::37], y[0, ::37]
        for color, row in zip(COLORS, population.predict(x)[:4, 0], strict=False):
            axes.plot(y, row, ".", color=color, markersize=2)
        axes.plot([0, y.max()], [0, y.max()], "k:", linewidth=1)
        axes.set(title=f"{label}: first four seeds", xlabel="actual (as scaled)", ylabel="predicted")
    return figure


FOUR, TWO = "--model.init_args.widths=[4]", "--model.init_args.widths=[2]"

INTEGER_PAIRS = System(
    key="S7",
    title="Why does a small dense network add and not multiply?",
    posted=(
        "a, b below 500, 10,000 examples; 2-3(linear)-5-3-5-1 with ReLUs, also after the output; Adam at 0.001, squared "
        "error, ten epochs, batch 10. Reported: a + b trains, a * b stays at a loss near 7e9, a * a fails the same way, "
        "a constant times a, or added, works."
    ),
    runs={
        **{
            f"{label}, as posted": Run("systems/mlp_integer_pairs_as_posted", (f"--data.init_args.operation={name}",))
            for label, name in POSTED.items()
        },
        "a * b, eight squares": Run("systems/square_network_mul"),
        "a * b, eight squares, asked 0 to 499": Run(
            "systems/square_network_mul", ("--data.init_args.test_range=[0,500]",)
        ),
        "a * b, four squares": Run("systems/square_network_mul", (FOUR,)),
        "a * b, two squares": Run("systems/square_network_mul", (TWO,)),
        "a * a, eight squares": Run("systems/square_network_square"),
    },
    why=why,
    figures={"Products as posted, and by squares": answers, "Success rates with 95 % intervals": rates},
)
