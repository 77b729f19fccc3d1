"""Parity of integers by sin(w x)^2, of n bits, and of sequences."""

import math

import torch
from matplotlib.figure import Figure

from arith_lightning.report.pictures import COLORS, rates, trajectory
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run, Trained

GRID = 1500


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    six, plain = results["six points"].population, results["16 bits, plain network"]
    w = six.record["parameters"][0, 0].item()
    return (
        "With d = w - pi/2 the squared error of an integer x is sin(dx)^4, so its gradient grows with x, and on 0 to "
        f"999 only starts within about 0.002 of pi/2 (or 3 pi/2) lead there; 1.5 is {math.pi / 2 - 1.5:.2f} away and "
        f"{results['as posted'].rate} of the seeds arrive, by a lucky jump. On six points 1.5 is inside the basin, but "
        f"gradients vanish as d^3 and w = {w:.5f} after 10,000 epochs: the first integer answered wrong is "
        f"{first_wrong(results['six points'])} (at rate 0.1, {first_wrong(results['six points, rate 0.1'])}, where steps are "
        "too short for single precision and w stands still). "
        "Dividing each error by x^2 makes every integer pull alike and leaves no spurious minimum: "
        f"{results['all integers, weighted by x^-2'].rate} from any start in U(0, pi), in 400 steps. Doubling the "
        "range from {0, 1} does it with the plain error "
        f"({results['range doubles'].rate}). On 1,000 random draws the point x = 1 is missing in 37 % of seeds and "
        f"false minima come back ({results['random draws, one wave'].rate}); of 32 waves started in different places "
        f"the one that fits takes over ({results['random draws, 32 waves'].rate}). With the absolute error on {{0, 1}} "
        "the minimum is quadratic and w reaches the last bit of pi/2; with its phase reduced to one period it is right "
        f"to 2^24 in float32 ({results['exact, to 2^24'].rate}) and to 2^53 in float64 "
        f"({results['exact, to 2^53'].rate}).\n\n"
        "*n bits.* No proper subset of the bits tells anything, yet a plain network finds a slope. It is slow: after "
        f"{plain.experiment.max_steps:,} steps on 16 bits the median seed has {plain.summary['error']['median']:.1%} of the "
        f"rows wrong and the best {plain.summary['error']['best']:.1%}, where guessing has half, and {plain.rate} have none. "
        "What fails is to be exact within these steps; larger and longer, some seeds are. The slope of a sine of a weighted "
        "sum is steeper: its correlation with parity is the product of all |sin w_i|, and from U(-2, 2) some unit stands "
        "above the noise of a batch "
        f"({results['16 bits, sines'].rate}; 8 bits: {results['8 bits, sines'].rate}). For 32 bits, adding one bit "
        f"every 50 steps keeps each new one as easy as one bit alone ({results['32 bits, sines, bit by bit'].rate}). "
        "Parity of 4 of 16 bits is within a plain network's reach "
        f"({results['4 of 16 bits, plain network'].rate}).\n\n"
        "*Sequences.* Stay or flip: two states and one set of weights serve every length. Trained on at most 10 bits, "
        f"{results['sequences of 500'].rate} make no error at 500 and {results['sequences of 10,000'].rate} none at "
        "10,000."
    )


def answers(trained: Trained, end: int = GRID) -> torch.Tensor:
    """Return whether each integer below `end` is answered right by each member, `(members, end)`."""
    x = torch.arange(end, dtype=torch.float64)
    z = trained.population.predict(x.to(trained.population.record["parameters"].dtype).unsqueeze(0))[:, 0]
    return (z > 0.5) == (x % 2 == 1)


def first_wrong(trained: Trained) -> int:
    """Return the first integer that the first member answers wrong."""
    wrong = (~answers(trained, 100_000)[0]).nonzero()
    return int(wrong[0]) if len(wrong) else 100_000


def typical(trained: Trained) -> int:
    """Return the member whose error is the median."""
    return int(trained.population.record["error"].argsort()[len(trained.population) // 2])


def weights(results: Results) -> Figure:
    """Draw the weight of sixteen members over steps."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    labels = ["as posted", "all integers, weighted by x^-2"]
    for axes, label in zip(figure.subplots(1, 2, sharey=True), labels, strict=True):
        population = results[label].population
        path = trajectory(population, results[label].experiment.max_steps)[:, 0, :16]
        axes.plot(path, color=COLORS[0], linewidth=0.8, alpha=0.7)
        for k in (1, 3):
            axes.axhline(k * math.pi / 2, color="black", linestyle=":", linewidth=1)
        axes.set(title=label, xlabel="step", ylabel="w (dotted: pi/2 and 3 pi/2)", ylim=(-0.3, 5.2))
    return figure


def grids(results: Results) -> Figure:
    """Draw which integers below 1,500 a typical seed answers right."""
    labels = ["as posted", "six points", "six points, rate 0.1", "all integers, weighted by x^-2"]
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, label in zip(figure.subplots(1, len(labels)), labels, strict=True):
        right = answers(results[label])[typical(results[label])]
        axes.imshow(right.view(-1, 50), cmap="cividis", vmin=0, vmax=1, aspect="auto", extent=(0, 50, GRID, 0))
        axes.set(title=f"{label}:\n{int(right.sum())} right", xlabel="x modulo 50")
        axes.title.set_fontsize(9)
    return figure


PARITY = System(
    key="S9",
    title="Can one weight learn parity? Can a network?",
    posted=(
        "1,000 random integers below 1,000, y = x mod 2, answered by sin(w x)^2 from w = 1.5, squared error, descent "
        "at 4e-4, 100 epochs. Reported: no learning rate or optimizer converges, but the six points 0 to 5 do; what is "
        "wanted is a gradient that depends less on x."
    ),
    runs={
        "as posted": Run("systems/sine_parity_as_posted"),
        "six points": Run("systems/sine_parity_six_points"),
        "six points, rate 0.1": Run("systems/sine_parity_six_points", ("--model.init_args.learning_rate=0.1",)),
        "all integers, weighted by x^-2": Run("sine_parity"),
        "range doubles": Run("systems/sine_parity_curriculum"),
        "random draws, one wave": Run("systems/sine_parity_random_draws", ("--model.init_args.waves=1",)),
        "random draws, 32 waves": Run("systems/sine_parity_random_draws"),
        "exact, to 2^24": Run("systems/sine_parity_exact"),
        "exact, to 2^53": Run(
            "systems/sine_parity_exact", ("--trainer.precision=64-true", f"--data.init_args.test_end={2**53}")
        ),
        "16 bits, plain network": Run("systems/mlp_bit_parity"),
        "8 bits, sines": Run("systems/sine_bit_parity", ("--data.init_args.bits=8",)),
        "16 bits, sines": Run("systems/sine_bit_parity"),
        "32 bits, sines, bit by bit": Run("systems/sine_bit_parity_curriculum"),
        "4 of 16 bits, plain network": Run("systems/mlp_sparse_parity"),
        "sequences of 500": Run("systems/rnn_parity"),
        "sequences of 10,000": Run(
            "systems/rnn_parity",
            ("--data.init_args.test_length=10000", "--data.init_args.test_size=20", "--evaluate_every=1500"),
        ),
    },
    why=why,
    figures={
        "The weight of sixteen seeds over steps": weights,
        "Right (bright) and wrong (dark) on 0 to 1,499, typical seed": grids,
        "Success rates with 95 % intervals": rates,
    },
    maps={"parity_start": "Where descent on the plain error finds parity, and the basin's width in theory"},
)
