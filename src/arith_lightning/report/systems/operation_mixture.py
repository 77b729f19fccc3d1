"""A product cell mixed with a dense layer, and the mixture that picks one operation of six."""

import torch
from matplotlib.figure import Figure

from arith_lightning.architectures.operation_mixture import CANDIDATES
from arith_lightning.colors import COLORS
from arith_lightning.report.pictures import trajectory
from arith_lightning.report.system import Results, load
from arith_lightning.trained import Trained

RIGHT = 0.9


def chosen(trained: Trained, name: str) -> torch.Tensor:
    """Return each member's weight of the candidate `name`, `(members,)`."""
    candidates = trained.experiment.config["model"]["init_args"]["candidates"]
    logits = trained.population.record.parameters[: len(candidates)]
    return torch.softmax(logits, dim=0)[candidates.index(name)]


def product_weight(trained: Trained) -> float:
    """Return the median seed's weight of the written product."""
    return chosen(trained, "mul").median().item()


def right(trained: Trained) -> str:
    """Return how many seeds give the operation that is asked a weight above `RIGHT`."""
    asked = trained.experiment.config["data"]["init_args"]["operation"]
    return f"{int((chosen(trained, asked) > RIGHT).sum())}/{len(trained.population)}"


def right_above(results: Results) -> float:
    """Return the weight from which the choice counts as right."""
    return RIGHT


def first_weight(trained: Trained) -> float:
    """Return the median seed's weight of the written product after one step, of two candidates."""
    return torch.softmax(trajectory(trained.population, 1)[1, :2], 0)[0].median().item()


def first_dense(trained: Trained) -> float:
    """Return the median seed's largest dense weight after one step."""
    return trajectory(trained.population, 1)[1, 2:].abs().amax(0).median().item()


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


OPERATION_MIXTURE = load(
    "operation_mixture",
    figures=(paths,),
    of_run=(product_weight, right, first_weight, first_dense),
    of_all=(right_above,),
)
