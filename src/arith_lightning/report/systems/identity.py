"""The identity of one number by autoencoders with every activation, inside and outside their training range."""

import torch
from matplotlib.figure import Figure

from arith_lightning.report.pictures import COLORS
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run, Trained

ACTIVATIONS = (
    "tanh",
    "sigmoid",
    "relu",
    "relu6",
    "elu",
    "selu",
    "softsign",
    "softplus",
    "hard_tanh",
    "leaky_relu",
    "none",
)
EDGE, END = 5.0, 20.0
FLOOR = 1e-7
"""Errors of rounding are drawn here."""


def absolute_errors(trained: Trained, x: torch.Tensor) -> torch.Tensor:
    """Return |error| of the median seed at each number `(n,)`."""
    x = x.to(trained.population.record["parameters"])
    return (trained.population.predict(x.unsqueeze(0))[:, 0] - x).abs().median(0).values


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    inside, outside = (
        torch.linspace(-EDGE, EDGE, 501),
        torch.cat([torch.linspace(-END, -10, 100), torch.linspace(10, END, 100)]),
    )
    rows = ["| unit | mean error inside [-5, 5] | mean error beyond 10 |", "|---|---|---|"]
    for label, trained in results.items():
        near, far = (absolute_errors(trained, x).mean().item() for x in (inside, outside))
        rows.append(f"| {label} | {near:.2g} | {far:.2g} |")
    return (
        "Inside the range nothing distinguishes them; outside, each network goes on as its units do: saturating units "
        "as a constant, piecewise linear ones along whatever line they ended on. Only where the function itself is the "
        "unit (a linear network, a NAC with its weight at 1) does the identity hold everywhere. The median seed's mean "
        "error:\n\n" + "\n".join(rows)
    )


def curves(results: Results) -> Figure:
    """Draw |error| of the median seed over [-20, 20] for every unit."""
    figure = Figure(figsize=(8.5, 5), layout="constrained")
    axes = figure.subplots()
    x = torch.linspace(-END, END, 801)
    for index, (label, trained) in enumerate(results.items()):
        style = ("-", "--", ":")[index // len(COLORS) % 3]
        axes.plot(
            x, absolute_errors(trained, x).clamp(min=FLOOR), style, color=COLORS[index % len(COLORS)], label=label
        )
    axes.axvspan(-EDGE, EDGE, color="#999999", alpha=0.2)
    axes.set(yscale="log", xlabel="x (gray: trained)", ylabel="|error| of the median seed", ylim=(FLOOR / 2, 1e2))
    figure.legend(frameon=False, loc="outside right center")
    return figure


IDENTITY = System(
    key="S6",
    title="Does a network know the identity outside its training range?",
    posted=(
        "Scalar autoencoders, one for each activation, trained on numbers in [-5, 5], reproduce them almost perfectly "
        "and fail outside."
    ),
    runs={
        **{name: Run("systems/mlp_identity", (f"--model.init_args.activation={name}",)) for name in ACTIVATIONS},
        "NAC": Run("systems/nac_identity"),
    },
    why=why,
    figures={"Error over [-20, 20], all units": curves},
)
