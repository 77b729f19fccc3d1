"""A formula of one's own: t = f(a, b, ...), drawn afresh at every step from ranges of its variables."""

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from arith_lightning.complaint import nearest, require
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.data.distributions import Moments, Range, intervals, uniform
from arith_lightning.data.encoding import Preparation, Scaling
from arith_lightning.data.expression import LOGICAL, Tree, compute, parse
from arith_lightning.data.judging import Judge, Kind
from arith_lightning.data.operations import OPERATIONS, Operation
from arith_lightning.streams import Purpose, Stream

Rows = tuple[tuple[float, float], ...]
"""Intervals of a variable."""
DRAWABLE = 2**24
"""Different integers that a variable may have."""
CORNERS = 4096
"""Ends of ranges, and zeros between them, at which formulas are tried before they are drawn."""
SYMBOLS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
LISTED = 2**20
"""Integers whose moments are taken from a list; of more, those of the reals are as good."""


class Formula(ArithmeticDataModule):
    """Formulas of variables; solved when the error on the test ranges is below the tolerance.

    In formulas stand numbers, variables, pi, e, + - * / ** % //, comparisons (0 or 1), `and`, `or`, `not` (of whether
    a number is not zero), `a if b else c`, and xor, min, max, abs, floor, ceil, round, sign, sqrt, exp, log, sin, cos,
    tan, tanh. Whatever is reported is in the units of the formula.

    Args:
        formula: what is to be learnt, such as `sqrt(a**2 + b**2)`.
        formulas: several of them, an output each, instead: by name or as a list.
        variables: training range of each variable, `[low, high]` or a list of such; the network sees them in this
            order, those too that no formula names.
        test_variables: ranges of the test; a variable that is not named keeps its training range, with fresh numbers.
        integers: variables that are integers from low to high, both included, each equally likely.
        encode: how integers are shown, by variable: `bits(8)`, `digits(3)`, `one_hot(10)`, or `sines(2, 4, 8)` with
            periods.
        scale_inputs: `standard`, to mean 0 and standard deviation 1 of training examples; `range`, to [-1, 1]; `none`.
        scale_targets: the same of what the network is to answer; errors stay in the units of the formula.
        criterion: `mse`, `largest`, `relative`, `r2`, `rounded` or `wrong`. null is `wrong` where every formula is a
            comparison or logical, the MSE where `tolerance` is null too and the formula is a known operation of
            variables, such as a * b, and `r2` otherwise.
        tolerance: error below which a run is solved; null is the epsilon-perfect MSE of a known operation where that is
            judged, else 0.01, which `mse` and `largest` do not have.
        epsilon: error of every weight of the solution of a known operation that sets its threshold.
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone.

    Raises:
        ValueError: a formula is none, or not finite somewhere in the ranges; a range or an encoding does not fit.
    """

    def __init__(
        self,
        formula: str | None = None,
        formulas: dict[str, str] | list[str] | None = None,
        variables: dict[str, Any] = {"a": [1.0, 2.0], "b": [1.0, 2.0]},
        test_variables: dict[str, Any] = {},
        integers: list[str] = [],
        encode: dict[str, str] = {},
        scale_inputs: Scaling = "none",
        scale_targets: Scaling = "none",
        criterion: Kind | None = None,
        tolerance: float | None = None,
        epsilon: float = 1e-5,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        require(formula is None or formulas is None, "give formula or formulas", "both", "leave out one")
        given = formulas if formulas is not None else ["a * b" if formula is None else formula]
        texts = dict(given) if isinstance(given, Mapping) else {text: text for text in given}
        require(len(variables) >= 1, "formulas need a variable", "none", "such as variables: {a: [0, 1]}")
        require(len(texts) == len(given) >= 1, "formulas must be one or more, all different", given, "drop one")
        for name in variables:
            require(name.isidentifier(), "variables must have names of letters", name, "such as a")
        for what, named in (("test_variables", test_variables), ("integers", integers)):
            for name in named:
                rule = f"{what} must be variables: {', '.join(variables)}"
                require(name in variables, rule, name, f"correct it{nearest(name, variables)}")
        self.texts, self.integers = texts, tuple(sorted(integers))
        self.trees: tuple[Tree, ...] = tuple(parse(text, list(variables)) for text in texts.values())
        self.ranges = {
            "interpolation": {name: self._rows(name, given) for name, given in variables.items()},
            "extrapolation": {name: self._rows(name, given) for name, given in (variables | test_variables).items()},
        }
        require(0 < epsilon < 1, "epsilon must lie in (0, 1)", epsilon, "the published values are 1e-5 and 1e-4")
        self.epsilon, self.perfect = epsilon, 0.0
        x, y = self._numbers(Stream(0, Purpose.INTERPOLATION, dtype=torch.float64), "interpolation", EVALUATION_SIZE)
        asked, t = self._numbers(
            Stream(0, Purpose.EXTRAPOLATION, dtype=torch.float64), "extrapolation", EVALUATION_SIZE
        )
        corners = {split: self._corners(split) for split in self.ranges}
        for part, values in (("training", corners["interpolation"]), ("test", corners["extrapolation"])):
            self._finite(part, values)
        self._finite("training", x)
        self._finite("test", asked)
        self.preparation = Preparation(list(variables), x, y, encode, scale_inputs, scale_targets)
        for values in (x, asked, *corners.values()):
            self.preparation.check(values)
        logical = all(tree[0] in LOGICAL for tree in self.trees)
        if criterion is None and tolerance is None and not logical:
            self.perfect = self._perfect()
        kind: Kind = criterion or ("wrong" if logical else "mse" if self.perfect else "r2")
        self.judging = Judge(kind, self.perfect or tolerance, False, t)
        self.criterion: Criterion = self.judging.criterion
        self.in_features, self.out_features = self.preparation.in_features, len(texts)
        self.output_names = list(texts)

    def _rows(self, name: str, given: Range) -> Rows:
        parts = [given] if not isinstance(given, list) or not all(isinstance(part, list) for part in given) else given
        pairs = all(isinstance(part, list) and len(part) == 2 for part in parts)
        rule = f"the range of {name} must be [low, high], two numbers, or a list of such"
        require(pairs and all(type(end) in (int, float) for part in parts for end in part), rule, given, "try [1, 2]")
        rows = intervals(f"the range of {name}", given).tolist()
        if name in self.integers:
            whole = all(end == int(end) and abs(end) <= 2**53 for row in rows for end in row)
            require(whole, f"the range of {name}, an integer, must have integer ends", given, "try [0, 10]")
            count = sum(high - low + 1 for low, high in rows)
            require(count <= DRAWABLE, f"{name} may be one of 2^24 integers at most", f"{count:,.0f}", "try fewer")
        return tuple((low, high) for low, high in rows)

    def _corners(self, split: str) -> Tensor:
        """Return the ends of the ranges and zeros inside them, all with all while these are few, `(variables, n)`."""
        ends = [
            sorted({end for row in rows for end in row} | {0.0 for low, high in rows if low < 0 < high})
            for rows in self.ranges[split].values()
        ]
        return torch.tensor(list(itertools.islice(itertools.product(*ends), CORNERS)), dtype=torch.float64).mT

    def _finite(self, part: str, x: Tensor) -> None:
        bad = ~self._answers(x).isfinite().all(0)
        at = zip(self.ranges["interpolation"], x[:, int(bad.byte().argmax())].tolist(), strict=True)
        rule = f"formulas must be finite in the {part} range, its ends and zero included"
        where = ", ".join(f"{name} = {value:g}" for name, value in at)
        require(not bad.any(), rule, f"none at {where}", "change the range or the formula")

    def _perfect(self) -> float:
        """Return the epsilon-perfect error of a formula that is a known operation of variables; 0 of any other."""
        known = recognised(self.trees[0]) if len(self.trees) == 1 else None
        if known is None:
            return 0.0
        operation, operands = known
        others = [name for name in self.ranges["extrapolation"] if name not in operands]
        error = operation.epsilon_perfect([self._moments(name) for name in (*operands, *others)], self.epsilon).item()
        return error if 0 < error < float("inf") else 0.0

    def _moments(self, name: str) -> Moments:
        rows = self.ranges["extrapolation"][name]
        if name not in self.integers or sum(high - low + 1 for low, high in rows) > LISTED:
            return Moments.of(torch.tensor(rows, dtype=torch.float64))
        x = torch.cat([torch.arange(low, high + 1, dtype=torch.float64) for low, high in rows])
        return Moments(*(part.mean() for part in (x, x.abs(), x**2, x**4, x**-2)))

    def _answers(self, x: Tensor) -> Tensor:
        values = dict(zip(self.ranges["interpolation"], x.unbind(), strict=True))
        return torch.stack([compute(tree, values) for tree in self.trees])

    def _numbers(self, stream: Stream, split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw variables `(variables, size)` and what the formulas make of them, `(out_features, size)`, as float64."""
        drawn = []
        for name, rows in self.ranges[split].items():
            if name in self.integers:
                drawn.append(whole(stream, rows, size).double())
                continue
            # spelled out, because the compiler's loop takes no constant tensors
            ends = [torch.full((), end, device=stream.seed.device, dtype=stream.dtype) for row in rows for end in row]
            drawn.append(uniform(stream, torch.stack(ends).view(-1, 2), (size,)).double())
        x = torch.stack(drawn)
        return x, self._answers(x)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw variables from the ranges of the split; targets are scaled in training batches alone."""
        x, y = self._numbers(stream, split, size)
        y = self.preparation.scaled(y) if stream.purpose == Purpose.TRAINING else y
        return self.preparation.inputs(x).to(stream.dtype), y.to(stream.dtype)

    def prepare(self, x: Tensor) -> Tensor:
        """Return what a network sees of variables `(variables, rows)`."""
        return self.preparation.inputs(x.double()).to(x.dtype)

    def original(self, y: Tensor) -> Tensor:
        """Return answers `(..., out_features, rows)` in the units of the formulas."""
        return self.preparation.original(y)

    def given(self, split: Split, columns: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the variables of an evaluation set, `(variables, rows)`."""
        stream = Stream(self.evaluation_seed, Purpose[split.upper()])
        return self._numbers(stream, split, EVALUATION_SIZE)[0]

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the formulas and the ranges of their variables."""
        texts = "; ".join(self.texts.values())
        trained, tested = self._in_words("interpolation"), self._in_words("extrapolation")
        return Asked(texts, trained, tested, self.epsilon if self.perfect else None)

    def _in_words(self, split: str) -> str:
        return ", ".join(
            f"{name} in {' or '.join(f'[{low:g}, {high:g}]' for low, high in rows)}"
            for name, rows in self.ranges[split].items()
        )

    def baseline(self, target: Tensor) -> tuple[str, Tensor]:
        """Return the best constant answer."""
        return self.judging.baseline(target)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the tolerance, or the epsilon-perfect error of a known operation."""
        return torch.tensor(self.judging.limit, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error of the criterion."""
        return self.judging.error(prediction, target)


def whole(stream: Stream, rows: Rows, size: int) -> Tensor:
    """Draw integers `(size,)` from intervals, both ends included, each integer equally likely."""
    counts = [int(high) - int(low) + 1 for low, high in rows]
    drawn = stream.integers((size,), 0, sum(counts))
    x, start = drawn + int(rows[0][0]), 0
    for (low, _), count in zip(rows, counts, strict=True):
        x = torch.where(drawn >= start, drawn - start + int(low), x)
        start += count
    return x


def recognised(tree: Tree) -> tuple[Operation, tuple[str, ...]] | None:
    """Return the operation that a formula is, and the variables it is of; None where it is no known one."""
    names = tuple(part[1] for part in tree[1:] if isinstance(part, tuple) and part[0] == "name")
    if tree[0] in SYMBOLS and len(names) == 2 and names[0] != names[1]:
        return OPERATIONS[SYMBOLS[tree[0]]], names
    for name in set(names):
        a = ("name", name)
        if tree in (("*", a, a), ("**", a, ("number", 2.0))):
            return OPERATIONS["square"], (name,)
        if tree in (("sqrt", a), ("**", a, ("number", 0.5))):
            return OPERATIONS["root"], (name,)
        if tree in (("/", ("number", 1.0), a), ("**", a, ("number", -1.0))):
            return OPERATIONS["reciprocal"], (name,)
    return None
