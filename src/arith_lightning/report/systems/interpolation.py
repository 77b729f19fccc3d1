"""Interpolation over a badly scaled input: fourteen learning rates that fail, and what trains."""

import torch
from matplotlib.figure import Figure

from arith_lightning.data.scaled_interpolation import KNOTS
from arith_lightning.report.pictures import COLORS
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run

SWEEP = [f"1e{k}" for k in range(-11, 3)]


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    swept = [results[f"raw, rate {rate}"].summary["error"]["best"] for rate in SWEEP]
    best = min(error for error in swept if error is not None)
    scaled, found = results["scaled, posted rate"], results["scaled, found setting"]
    return (
        "Raw inputs reach 200,000. Every tanh unit but a few is saturated at its first step, so the network is a "
        "constant with one or two jumps, and the gradient of its first layer is 200,000 times that of its bias: no "
        f"learning rate serves both, and none of the fourteen comes closer than {best:.2f} at its worst point (the best "
        "constant in the squared error: 0.75, the best of all: 0.5). Scaling the input to [-1, 1] is right and not enough: at the posted rate of 5e-5 the median "
        f"seed is off by {scaled.summary['error']['median']:.2f} after 10,000 steps, and at "
        f"0.01 by {results['scaled, rate 0.01'].summary['error']['median']:.2f}. The curve is piecewise linear, so a "
        "piecewise linear network can hold it exactly: ten ReLU units without a softmax, batches of 256 and a rate that "
        f"falls a thousandfold are right to 0.02 everywhere, knots included, in {found.rate} of the seeds "
        f"(median {found.summary['error']['median']:.4f}, worst {found.summary['error']['worst']:.4f})."
    )


def curves(results: Results) -> Figure:
    """Draw the three outputs of the first seeds and the true curve."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    labels = ["raw, as posted", "scaled, rate 0.01", "scaled, found setting"]
    for axes, label in zip(figure.subplots(1, 3, sharey=True), labels, strict=True):
        population = results[label].population
        x, y = population.data.evaluation_set("extrapolation", like=population.record["parameters"])
        plotted = torch.linspace(KNOTS[0], KNOTS[-1], x.shape[1] - len(KNOTS))
        prediction = population.predict(x)[:3, :, : -len(KNOTS)]
        for output, color in enumerate(COLORS[:3]):
            axes.plot(plotted, y[output, : -len(KNOTS)], color="black", linewidth=2.5, alpha=0.35)
            axes.plot(plotted, prediction[:, output].T, color=color, linewidth=0.9)
        axes.set(title=label, xlabel="x")
    return figure


def sweep(results: Results) -> Figure:
    """Draw the largest error over the learning rate, on raw inputs."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    spread = [results[f"raw, rate {rate}"].summary["error"] for rate in SWEEP]
    positions = [float(rate) for rate in SWEEP]
    for key, style in (("median", "o-"), ("best", "v:"), ("worst", "^:")):
        axes.plot(positions, [entry[key] for entry in spread], style, color=COLORS[0], label=key)
    axes.axhline(0.5, color="black", linestyle="--", linewidth=1, label="best constant")
    axes.set(xscale="log", xlabel="learning rate", ylabel="largest error of any output", ylim=(0, 1.1))
    axes.legend(frameon=False)
    return figure


def raw(rate: str) -> Run:
    """Return the posted network on raw inputs at another rate."""
    return Run("systems/mlp_interpolation_as_posted", (f"--model.init_args.learning_rate={rate}",))


INTERPOLATION = System(
    key="S8",
    title="Why does no learning rate interpolate three points?",
    posted=(
        "x uniform in 255..200000, three outputs piecewise linear through three knots; 1-10(tanh)-3(softmax), squared "
        "error, Adam at 5e-5, batch 4, then every rate from 1e-11 to 100. Reported: none trains. The answer given: "
        "scale the input to [-1, 1]."
    ),
    runs={
        "raw, as posted": Run("systems/mlp_interpolation_as_posted"),
        **{f"raw, rate {rate}": raw(rate) for rate in SWEEP},
        "scaled, posted rate": Run("systems/mlp_interpolation_scaled"),
        "scaled, rate 0.01": Run("systems/mlp_interpolation_scaled", ("--model.init_args.learning_rate=0.01",)),
        "scaled, found setting": Run("systems/mlp_interpolation"),
    },
    why=why,
    figures={"The curve and three seeds": curves, "Fourteen learning rates on raw inputs": sweep},
    maps={"interpolation": "Where it trains on scaled inputs, over learning rate and start, by hidden size"},
)
