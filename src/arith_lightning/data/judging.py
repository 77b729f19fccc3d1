"""What answers to numbers of one's own are judged by: errors of several kinds, each below a tolerance."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import Criterion

Kind = Literal["mse", "largest", "relative", "r2", "rounded", "wrong"]
KINDS: dict[str, str] = {
    "mse": "MSE",
    "largest": "largest absolute error",
    "relative": "median relative error",
    "r2": "1 - R^2",
    "rounded": "share of rows wrong after rounding",
    "wrong": "share of wrong rows",
}
"""How tables call them."""
SHARES = ("rounded", "wrong")
"""Those that count rows."""
USUAL = 0.01
"""Tolerance of a kind that has no unit, where none is given."""


@dataclass(init=False)
class Judge:
    """One kind of error with its tolerance.

    Args:
        kind: `mse`; `largest`, the largest absolute error of any output; `relative`, the median over rows and outputs
            of |answer - target| / |target|; `r2`, 1 - R^2, the mean over outputs; `rounded`, the share of rows of which
            an output is not the target when both are rounded; `wrong`, the share of rows of which an output is on the
            wrong side of one half, or, with classes, of which the largest output is not that of the class.
        tolerance: the error below which a run is solved; of a share, what it may be at most. None is 0.01 where the
            error has no unit.
        classes: whether outputs are classes, one of which is right.
        y: the targets that are asked, `(targets, rows)`.

    Raises:
        ValueError: the tolerance is not one of this kind of error, or the targets cannot be judged by it.
    """

    kind: Kind
    tolerance: float
    classes: bool
    tested: int

    def __init__(self, kind: Kind, tolerance: float | None, classes: bool, y: Tensor) -> None:
        require(kind in KINDS, f"criterion must be one of {', '.join(get_args(Kind))}", repr(kind), "try r2")
        given = tolerance is not None or kind not in ("mse", "largest")
        require(given, f"criterion {kind} has the unit of the targets and needs a tolerance", "none", "give one")
        self.kind, self.classes, self.tested = kind, classes, y.shape[-1]
        self.tolerance = USUAL if tolerance is None else tolerance
        low = 0 <= self.tolerance < 1 if kind in SHARES else 0 < self.tolerance < float("inf")
        rule = "a share's tolerance must lie in [0, 1)" if kind in SHARES else "tolerance must be positive and finite"
        require(low, rule, self.tolerance, "try 0.01")
        if kind == "r2":
            vary = (y.amax(-1) > y.amin(-1)).all()
            require(bool(vary), "R^2 needs tested targets that vary", "one value", "set criterion: mse and a tolerance")
        if kind == "wrong" and not classes:
            both = ((y == 0) | (y == 1)).all()
            rule = "criterion wrong needs targets of 0 and 1"
            require(bool(both), rule, "others", "set classes: true, or criterion: rounded")

    @property
    def criterion(self) -> Criterion:
        """What a dataset says of it."""
        return Criterion(KINDS[self.kind], self.kind == "mse", self.kind in SHARES, self.kind == "r2")

    @property
    def limit(self) -> float:
        """What the error must be below; of a share, half a row more than is tolerated."""
        return self.tolerance + (0.5 / self.tested if self.kind in SHARES else 0.0)

    def baseline(self, target: Tensor) -> tuple[str, Tensor]:
        """Return the best constant answer, in words and like the targets `(targets, rows)`."""
        mean = target.mean(-1, keepdim=True)
        if self.kind == "wrong" and self.classes:
            return "the majority class", (mean == mean.amax(0, keepdim=True)).to(target.dtype).expand_as(target)
        return "the majority" if self.kind == "wrong" else "the mean", mean.expand_as(target)

    def error(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error of answers to targets, `(targets, rows)` each; of shares, NaN is wrong."""
        if self.kind == "wrong" and self.classes:
            right = (prediction.argmax(0) == target.argmax(0)) & prediction.isfinite().all(0)
            return 1 - right.double().mean()
        if self.kind == "wrong":
            right = ((prediction > 0.5) == (target > 0.5)) & prediction.isfinite()
            return 1 - right.all(0).double().mean()
        if self.kind == "rounded":
            return 1 - (prediction.round() == target.round()).all(0).double().mean()
        off = (prediction.double() - target.double()).abs()
        if self.kind == "largest":
            return off.max()
        if self.kind == "relative":
            # 0 / 0 is right; a median of NaN is NaN
            return torch.where(off == 0, 0.0, off / target.double().abs()).flatten().median()
        if self.kind == "r2":
            return (off.square().mean(-1) / target.double().var(-1, correction=0)).mean()
        return off.square().mean()
