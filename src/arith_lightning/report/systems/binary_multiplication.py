"""Binary multiplication: twenty layers at a huge rate, a network that trains, and one learned cell."""

import torch
from matplotlib.figure import Figure

from arith_lightning.data import BinaryMultiplication
from arith_lightning.data.binary_multiplication import bit_accuracy
from arith_lightning.evaluation import Rate
from arith_lightning.population import Population
from arith_lightning.report.pictures import COLORS, seeds
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run

PARTS = [f"residual network, seeds {k} and {k + 1}" for k in range(0, 8, 2)]
"""The dense network takes 100 s a seed, so its eight seeds are four commands."""
CONSTANT = 1e-3
"""Range of an output over all tested inputs below which it is called constant."""
ROWS = 4000


def answers(population: Population) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions `(members, bits, n)` and targets `(bits, n)` on some held-out pairs."""
    x, y = population.data.evaluation_set("extrapolation", like=population.record["parameters"])
    some = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(0))[:ROWS]
    return population.predict(x[:, some]), y[:, some]


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    told = []
    for label in ("as posted", "both operands shown"):
        population = results[label].population
        prediction, y = answers(population)
        constant = (prediction.amax(-1) - prediction.amin(-1)).amax(-1) < CONSTANT
        told.append((seeds(population, constant), bit_accuracy(prediction, y).mean(1).median().item()))
    dense = [results[label] for label in PARTS]
    exact = 1 - torch.cat([part.population.record["error"] for part in dense])
    rate = Rate(sum(part.rate.successes for part in dense), sum(part.rate.n for part in dense))
    return (
        f"As posted {told[0][0]} seeds end at one constant answer for all inputs, right on {told[0][1]:.3f} of the bits, "
        "about what the majority of each bit gives (0.5861; the best that any function of the first operand could "
        f"reach is 0.5873). Showing the second operand changes nothing: {told[1][0]} constant, {told[1][1]:.3f}. The "
        "network is blind before the first step: torch's default start shrinks what the inputs change by about 2.4 a "
        "layer, and after twenty layers the outputs differ by less than 1e-7; all that is left to learn is a constant, "
        "and a rate of 0.1 then kills whole layers. Residual paths and normalised layers keep signal and gradient alive "
        "at every depth. The training pairs (80 % of the 65,536; a pair and its mirror image stay together) are then "
        "fitted completely, and decoupled weight decay decides how much carries over: exact products on held-out pairs "
        f"in {exact.min().item():.4f} to {exact.max().item():.4f} of the cases, at least 0.99 in {rate} of the seeds. Given the wiring of "
        "long multiplication (shift, AND, one cell for all places and steps), only the cell is left to learn: 16 numbers, "
        f"from the 64 products of 3-bit numbers. {results['bit-serial cell, asked 8 bits'].rate} of the seeds then make "
        f"no error on all 65,536 products of 8-bit numbers, and {results['bit-serial cell, asked 128 bits'].rate} none "
        f"on 1,000 random products of 128-bit numbers ({results['bit-serial cell, asked 64 bits'].rate} at 64, "
        f"{results['bit-serial cell, asked 32 bits'].rate} at 32, {results['bit-serial cell, asked 16 bits'].rate} at "
        "16). Small batches at a high rate shake the table out of the wrong corners of the unit cube."
    )


def bits(results: Results) -> Figure:
    """Draw the accuracy of each bit of the product: median and range over seeds, and the majority's."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    labels = ["as posted", "both operands shown", PARTS[0], "bit-serial cell, asked 8 bits"]
    for color, label in zip(COLORS, labels, strict=False):
        accuracy = bit_accuracy(*answers(results[label].population))
        places = range(accuracy.shape[1])
        axes.plot(places, accuracy.median(0).values, "o-", color=color, label=label)
        axes.fill_between(places, accuracy.amin(0), accuracy.amax(0), color=color, alpha=0.15, linewidth=0)
    _, y = BinaryMultiplication().evaluation_set("extrapolation")
    ones = y.mean(1)
    axes.plot(range(len(ones)), torch.maximum(ones, 1 - ones), "k:", label="majority of each bit")
    axes.set(xlabel="bit of the product, most significant first", ylabel="share right on held-out pairs")
    axes.legend(frameon=False)
    return figure


def serial(bits: int) -> Run:
    """Return the run of the cell that is asked products of `bits`-bit numbers."""
    return Run("systems/bit_serial_mul", () if bits == 8 else (f"--data.init_args.test_bits={bits}",))


BINARY_MULTIPLICATION = System(
    key="S1",
    title="Can a network learn binary multiplication?",
    posted=(
        "Two numbers below 255 as bits, the 16 bits of their product as target; a stem and twenty ReLU layers of 32 "
        "units, sigmoid outputs, squared error, Adam at 0.1, batch 256. By a slip in the data the second operand is "
        "always shown as zero. Reported: it never learns, nor does a very wide layer."
    ),
    runs={
        "as posted": Run("systems/mlp_binary_mul_as_posted"),
        "both operands shown": Run("systems/mlp_binary_mul_repaired"),
        **{
            label: Run("systems/residual_mlp_binary_mul", (f"--seeds=[{k},{k + 1}]",))
            for k, label in zip(range(0, 8, 2), PARTS, strict=True)
        },
        **{f"bit-serial cell, asked {n} bits": serial(n) for n in (8, 16, 32, 64, 128)},
    },
    why=why,
    figures={"Accuracy of each bit on held-out pairs: median and range over seeds": bits},
    maps={
        "binary_depth": "Where a plain network learns all products of 3-bit numbers, over learning rate and start, by depth",
        "binary_depth_residual": "The same for a residual network with normalised layers",
    },
)
