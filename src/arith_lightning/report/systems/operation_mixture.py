"""A product cell mixed with a dense layer, and the mixture that picks one operation of six."""

import torch
from matplotlib.figure import Figure

from arith_lightning.architectures.operation_mixture import CANDIDATES
from arith_lightning.report.pictures import COLORS, trajectory
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run, Trained

RIGHT = 0.9


def chosen(trained: Trained, name: str) -> torch.Tensor:
    """Return each member's weight of the candidate `name`, `(members,)`."""
    candidates = trained.experiment.config["model"]["init_args"]["candidates"]
    logits = trained.population.record["parameters"][: len(candidates)]
    return torch.softmax(logits, dim=0)[candidates.index(name)]


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    product = results["mul + dense, as posted"]
    path = trajectory(product.population, 1)
    first = torch.softmax(path[1, :2], 0)[0]
    dense = path[1, 2:].abs().amax(0).median().item()
    picked = "; ".join(
        f"{name} {int((chosen(results[f'picks {name}'], name) > RIGHT).sum())}/{len(results[f'picks {name}'].population)}"
        for name in CANDIDATES
    )
    return (
        f"As posted it is so: {product.rate} for the product and {results['square + dense, as posted'].rate} for the "
        "square. But nothing was learnt in the usual sense. The squared error of raw targets up to 64,516 has a gradient "
        f"of about 10^9, so the first step alone throws the mixture to a weight of {first.median().item():.3f} on the "
        f"written product and the dense weights to about {dense:.0e}, and the saturated softmax hides the damage for "
        f"ever. On inputs in [0, 1] the same descent is slow: after 2,000 steps the product cell has a weight of "
        f"{chosen(results['mul + dense, scaled inputs'], 'mul').median().item():.2f}, and the dense layer answers the "
        "rest. Adam at a rate of 0.3 with a small entropy penalty decides between six operations on numbers of ordinary "
        f"size. Seeds that give the right one a weight above {RIGHT}: {picked}."
    )


def paths(results: Results) -> Figure:
    """Draw the weight of the right operation over steps, median and range over seeds."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for color, name in zip(COLORS, CANDIDATES, strict=False):
        trained = results[f"picks {name}"]
        steps = min(300, trained.experiment.max_steps)
        count = len(CANDIDATES)
        weight = torch.softmax(trajectory(trained.population, steps)[:, :count], 1)[:, list(CANDIDATES).index(name)]
        axes.plot(weight.median(1).values, color=color, label=name)
        axes.fill_between(range(steps + 1), weight.amin(1), weight.amax(1), color=color, alpha=0.15, linewidth=0)
    axes.axhline(RIGHT, color="black", linestyle=":")
    axes.set(xlabel="step", ylabel="weight of the right operation", ylim=(0, 1.02))
    axes.legend(frameon=False)
    return figure


SCALED = ("--data.init_args.input_scale=" + str(2.0**-8), "--evaluate_every=500")

OPERATION_MIXTURE = System(
    key="S2",
    title="Is it easy once the multiplication is written down?",
    posted=(
        "Two integers below 255 (or one), y = x0 x1 (or x x). A softmax of two free logits, both 0.01, mixes an explicit "
        "product with a dense layer; squared error on raw targets, descent at 0.01, batch 64. Claimed: with the "
        "multiplication written explicitly there is no problem at all."
    ),
    runs={
        "mul + dense, as posted": Run("systems/mixture_mul_as_posted"),
        "square + dense, as posted": Run("systems/mixture_square_as_posted"),
        "mul + dense, scaled inputs": Run("systems/mixture_mul_as_posted", SCALED),
        **{
            f"picks {name}": Run("systems/operation_mixture", (f"--data.init_args.operation={name}",))
            for name in CANDIDATES
        },
    },
    why=why,
    figures={"Weight of the right operation over the first 300 steps: median and range over seeds": paths},
)
