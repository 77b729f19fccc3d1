"""How training went: away, to and fro, still down, nowhere."""

import math

import torch
from torch import Tensor

from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Seen, finding, median

ENOUGH, MANY = 4, 8
"""Evaluations that it takes to see whether an error falls, and whether it goes to and fro."""
RESTLESS = 0.3
"""Share of evaluations at which an error that goes to and fro rises."""
FALLS = 0.95
"""Ratio of the error in the last quarter of a run to that in the quarter before, below which it is still falling."""


@finding("scale both", "rate /10", "rate /100", "clip gradients", "adam", certain=True)
def diverged(e: Evidence) -> Seen | None:
    """Errors that grew until they were no longer numbers.

    A step of more than 2 / curvature overshoots by more than it gains, again and again; the curvature grows with the
    square of the inputs. Recognised by an error that is infinite or not a number.
    """
    finite = e.errors.isfinite()
    first = torch.where(finite, torch.inf, e.steps.unsqueeze(1)).amin(0) if len(e.steps) else e.inside
    large = f", with inputs of up to {e.size.max():.4g}" if e.size.max() > 10 else ""
    first = torch.where(first.isfinite(), first, e.steps[-1] if len(e.steps) else 0.0)
    return Seen(
        e.diverged,
        lambda m: (
            f"diverged: by step {first[m].median():,.0f} their error was no longer a number, at a rate of "
            f"{median(e.learning_rate[m])} ({e.optimizer}){large}: "
            + ("scale inputs and targets, or take" if large else "take")
            + " a lower rate, or clip the gradients"
        ),
    )


@finding("rate /10", "rate /100", "warm-up and decay", "clip gradients", "scale both", "larger batch")
def too_large_a_step(e: Evidence) -> Seen | None:
    """An error that goes to and fro, or has grown, instead of falling.

    At a rate near 2 / curvature steps jump over the valley. Recognised by an error that rises at a third of the last
    evaluations or more and changes twofold, or that is ten times a constant answer's.
    """
    grown = (e.inside > 10 * (e.variance + e.y.double().mean((1, 2)).square())) & (len(e.steps) > 1)
    restless = torch.zeros_like(e.wrong)
    late = e.errors[len(e.steps) // 2 :]
    if len(e.steps) >= MANY:
        rises = (late[1:] > 1.1 * late[:-1]).double().mean(0)
        best = e.errors.amin(0)
        restless = (rises >= RESTLESS) & (late.amax(0) > 2 * late.amin(0)) & (late.amin(0) < 3 * best)
    return Seen(
        e.alive & (grown | restless),
        lambda m: (
            "do not settle: in the second half of the run their error went between "
            f"{median(late.amin(0)[m]) if len(late) else median(e.inside[m])} and "
            f"{median(late.amax(0)[m]) if len(late) else median(e.inside[m])}, at a rate of "
            f"{median(e.learning_rate[m])}: take a lower rate, a rate that decays, or a larger batch"
        ),
    )


@finding("adam", "rate x10", "scale both", "10x steps")
def still_falling(e: Evidence) -> Seen | None:
    """An error that was still going down when the run ended.

    Recognised by the last quarter of the evaluations, whose error is below that of the quarter before by a twentieth or
    more; that slope also tells how many steps halve it, as if it went on.
    """
    if len(e.steps) < ENOUGH:
        return None
    parts, places = e.errors.clamp(min=1e-300).log().chunk(4), e.steps.chunk(4)
    gain = parts[-2].median(0).values - parts[-1].median(0).values
    halves = math.log(2) * (places[-1].median() - places[-2].median()) / gain
    return Seen(
        e.alive & (gain > -math.log(FALLS)) & better_than_nothing(e),
        lambda m: (
            f"were still getting better when the run ended, at an error of {median(e.inside[m])}; at that pace it "
            f"halves every {halves[m].median():,.0f} steps: give more steps, a higher rate, or adam"
        ),
    )


def better_than_nothing(e: Evidence) -> Tensor:
    """Return which members are better than the best constant answer, by a hundredth at least."""
    return e.fit_error < e.constant_error - 1e-9 if e.share else e.inside < 0.99 * e.variance


@finding("adam", "rate x10", "scale both", "tanh", "one layer", "wider", "10x steps")
def no_better_than_a_constant(e: Evidence) -> Seen | None:
    """An error that answering the same to every input would have: the mean, zero, or the commonest class.

    The symptom that a loss alone hides: with a variance of 0.005 an error of 0.005 looks small and is nothing.
    Recognised by the variance of the targets, which is the error of their mean, by the mean of y^2, which is the error
    of answering 0, and of classes by the share of the commonest one.
    """
    zero = e.y.double().square().mean((1, 2))
    answers_zero = e.answer.double().square().mean((1, 2)) < 1e-3 * zero
    return Seen(
        e.wrong & ~better_than_nothing(e),
        lambda m: (
            f"are no better than the commonest answer, given whatever the input ({median(e.fit_error[m])} against "
            f"{median(e.constant_error[m])} wrong): they have learnt nothing of x"
            if e.share
            else f"have an error of {median(e.inside[m])}, no better than "
            + ("answering 0" if answers_zero[m].double().mean() > 0.5 else "answering the mean")
            + f" whatever the input (the variance of y is {median(e.variance[m])}): they have learnt nothing of x"
        ),
    )


@finding("adam", "wider", "scale both", "squares", "rate x10", "10x steps", "deeper")
def stuck(e: Evidence) -> Seen | None:
    """An error that is better than a constant's and has stopped falling above what is asked.

    A valley of the error that is not its lowest point, or a network that is too small. Recognised by a second half of
    the run that has brought less than a twentieth.
    """
    if len(e.steps) < ENOUGH:
        return None
    middle = e.errors[: len(e.steps) // 2].amin(0)
    best = e.errors.amin(0)
    return Seen(
        e.alive & better_than_nothing(e) & (best > FALLS * middle),
        lambda m: (
            f"have come to rest at an error of {median(e.inside[m])} ({(e.inside / e.variance)[m].median():.1%} of the "
            "variance) and have not become better in the second half of the run: a valley that is not the lowest, or "
            "a network too small for the task"
        ),
    )
