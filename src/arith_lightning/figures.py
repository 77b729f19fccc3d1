"""Pictures of a population: errors over steps, members, weights, predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from arith_lightning.colors import BLUE, ORANGE
from arith_lightning.population import Population

ERRORS = ("interpolation_mse", "extrapolation_mse")
FLOOR = 1e-16
"""Errors of exactly zero are drawn here on logarithmic axes."""


def curves(history: Sequence[dict[str, Any]], population: Population) -> Figure:
    """Draw both errors (median, middle half, middle 90 %) and the success rate over steps."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    steps = [entry["step"] for entry in history]
    for name, color in zip(ERRORS, (BLUE, ORANGE), strict=True):
        q = positive(np.array([entry[name] for entry in history]))
        above.plot(steps, q[:, 2], color=color, label=f"{name.split('_')[0]} (median, 50 %, 90 % of seeds)")
        for low, high, alpha in ((1, 3, 0.3), (0, 4, 0.12)):
            above.fill_between(steps, q[:, low], q[:, high], color=color, alpha=alpha, linewidth=0)
    above.set(ylabel="mean squared error")
    if np.isfinite([entry[name] for entry in history for name in ERRORS]).any():
        above.set(yscale="log")
        if population.data.criterion.squared:
            thresholds(above, population)
        above.legend(frameon=False)
    else:
        nothing(above)
    below.plot(steps, [entry["success_rate"] for entry in history], color="black")
    below.set(ylim=(-0.03, 1.03), ylabel="success rate", xlabel="step")
    return figure


def members(population: Population) -> Figure:
    """Draw each member's interpolation against its extrapolation error at the judged step."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes, record = figure.subplots(), population.record
    x, y = (positive(part.cpu().numpy()) for part in (record.interpolation_mse, record.extrapolation_mse))
    success = population.success.cpu().numpy()
    for mask, color, marker, label in ((success, BLUE, "o", "solved"), (~success, ORANGE, "x", "not solved")):
        axes.scatter(x[mask], y[mask], c=color, marker=marker, label=f"{label} ({mask.sum()})", alpha=0.8)
    axes.set(xlabel="interpolation MSE", ylabel="extrapolation MSE", title="one dot a run")
    if not np.isfinite(x + y).any():
        nothing(axes)
        return figure
    axes.set(xscale="log", yscale="log")
    if population.data.criterion.squared:
        thresholds(axes, population)
    axes.legend(frameon=False)
    return figure


def weights(population: Population) -> Figure:
    """Draw every parameter at the judged step as a histogram over members."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    values = population.record.parameters.cpu().double()
    success, judged = population.success.cpu(), population.record.judged.cpu()
    groups = [values[:, mask].flatten() for mask in (success, ~success & judged)]
    finite = [group[group.isfinite()].numpy() for group in groups]
    if sum(map(len, finite)):
        low, high = np.concatenate(finite).min(), np.concatenate(finite).max()
        margin = 1e-6 * max(1.0, abs(low), abs(high))  # members may agree to the last bit
        axes.hist(
            finite,
            bins=60,
            range=(low - margin, high + margin),
            stacked=True,
            color=[BLUE, ORANGE],
            label=["solved", "not solved"],
        )
        axes.legend(frameon=False)
    else:
        nothing(axes)
    axes.set(xlabel="parameter", ylabel="count", title="parameters of all members at the judged step")
    return figure


def predictions(population: Population, index: int) -> Figure:
    """Draw a member's answers on the extrapolation set: a grid for parity, predicted against actual otherwise."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    if not population.record.judged[index]:
        nothing(axes)
        return figure
    x, y = population.examples(index, "extrapolation")
    member = population.member(index).to(x.dtype)
    with torch.no_grad():
        prediction = population.data.original(member(x.mT).mT)
    if population.data.consecutive:
        right = ((prediction > 0.5) == (y > 0.5)).flatten().numpy().astype(float)
        width = 50
        grid = np.pad(right, (0, -len(right) % width), constant_values=np.nan).reshape(-1, width)
        axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto", extent=(0, width, len(right), 0))
        axes.set(xlabel="integer modulo 50", ylabel="integer", title=f"right on {int(right.sum())} of {len(right)}")
    else:
        actual, predicted = (part.flatten()[:2000].numpy() for part in (y, prediction))  # of tensors it makes lists
        axes.scatter(actual, predicted, s=6, color=BLUE, alpha=0.5)
        ends = [y.min().item(), y.max().item()]
        axes.plot(ends, ends, color="black", linestyle=":", label="exact")
        axes.set(xlabel="actual", ylabel="predicted", title="best seed on the extrapolation set")
        axes.legend(frameon=False)
    return figure


def thresholds(axes: Axes, population: Population) -> None:
    """Draw the error below which members are solved, one line for each value among the settings."""
    for k, value in enumerate(population.threshold.unique().tolist()):
        axes.axhline(value, color="black", linestyle=":", label=None if k else "threshold (extrapolation)")


def nothing(axes: Axes) -> None:
    """Say in place of a picture why there is none."""
    axes.text(0.5, 0.5, "no network could be judged: each had diverged", ha="center", transform=axes.transAxes)


def positive(values: NDArray[Any]) -> NDArray[Any]:
    """Return errors fit for a logarithmic axis: zeros at the floor, what is not finite as a gap."""
    values = np.where(np.isfinite(values), values, np.nan)
    return np.maximum(values, FLOOR)
