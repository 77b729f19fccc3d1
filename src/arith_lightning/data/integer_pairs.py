"""Integer pairs: y = f(a, b) of two integers below 500, or y = f(a) of one, learnt from 10,000 examples.

The targets reach 998 for a sum and 249,001 for a product. Every operation is homogeneous, so numbers can be scaled
without changing the question: inputs times s and targets times s^degree.

Source of the question: a widely asked experiment with a small dense network that learns a + b and not a * b.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, Split
from arith_lightning.streams import Purpose, Stream

LIMIT = 4096
"""End of the integers whose products are exact in single precision."""


class Target(NamedTuple):
    """What is asked of one or two integers."""

    name: str
    operands: int
    degree: int
    """Power of the scale of the inputs that the targets are scaled by."""
    function: Callable[[Tensor, Tensor, int], Tensor]
    """Maps the first operand, the last operand and the constant to the answer."""


TARGETS = {
    target.name: target
    for target in (
        Target("add", 2, 1, lambda a, b, constant: a + b),
        Target("sub", 2, 1, lambda a, b, constant: a - b),
        Target("mul", 2, 2, lambda a, b, constant: a * b),
        Target("square", 1, 2, lambda a, b, constant: a * a),
        Target("scale", 1, 1, lambda a, b, constant: constant * a),
        Target("shift", 1, 1, lambda a, b, constant: a + constant),
    )
}


class IntegerPairs(ArithmeticDataModule):
    """Uniform integers of [0, train_end), 10,000 examples a seed; solved when every tested answer is exact.

    A batch is drawn from the examples with replacement, so 10,000 batches of 10 are ten epochs on average. An answer
    is exact when it rounds to the right integer, in unscaled units.

    Args:
        operation: add, sub, mul of two integers; square, scale (constant * a), shift (a + constant) of one.
        constant: of scale and shift.
        train_end: end (exclusive) of the training integers.
        test_range: first and end (exclusive) of the tested integers.
        grid: evenly spaced values of each operand in the evaluation sets, both ends included; at least as many as the
            range has means all of them.
        examples: examples that a seed has.
        input_scale: factor on the inputs; the targets are scaled to match. Powers of two lose nothing.
        batch_size: examples in a training batch.
        seed: seed of the examples and batches when one model is trained alone.
    """

    criterion = Criterion("share of inexact answers")

    def __init__(
        self,
        operation: Literal["add", "sub", "mul", "square", "scale", "shift"] = "mul",
        constant: int = 7,
        train_end: int = 500,
        test_range: list[int] = [500, 1000],
        grid: int = 100,
        examples: int = 10_000,
        input_scale: float = 1.0,
        batch_size: int = 10,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        require(operation in TARGETS, f"operation must be one of {', '.join(TARGETS)}", repr(operation), "try mul")
        require(2 <= train_end <= LIMIT, f"train_end must lie in [2, {LIMIT}]", train_end, "try 500")
        require(
            len(test_range) == 2 and 0 <= test_range[0] < test_range[1] - 1 < LIMIT,
            f"test_range must be [first, end] with two integers or more from 0 to {LIMIT - 1}",
            test_range,
            "try [500, 1000]",
        )
        require(abs(constant) <= LIMIT, f"constant must lie in [-{LIMIT}, {LIMIT}]", constant, "try 7")
        require(grid >= 2, "grid must be at least 2, the two ends", grid, "try 100")
        require(1 <= examples <= 2**24, "examples must lie in [1, 2^24]", examples, "try 10000")
        require(0 < input_scale < float("inf"), "input_scale must be positive", input_scale, "try 2^-9 = 0.001953125")
        self.operation, self.constant, self.train_end, self.grid = TARGETS[operation], constant, train_end, grid
        self.test_range, self.examples, self.input_scale = (test_range[0], test_range[1]), examples, input_scale
        self.in_features = self.operation.operands
        self.target_scale = input_scale**self.operation.degree

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the operation."""
        return Asked(self.operation.name)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw `size` of the seed's examples; for the evaluation sets return the whole grid, whatever `size`."""
        if split == "extrapolation":
            x = self.listed(*self.test_range, stream.seed.device)
        elif stream.purpose == Purpose.TRAINING:
            x = self.example(stream, stream.integers((size,), 0, self.examples))
        else:
            x = self.listed(0, self.train_end, stream.seed.device)
        y = self.operation.function(x[0], x[-1], self.constant).unsqueeze(0)
        return x.to(stream.dtype) * self.input_scale, y.to(stream.dtype) * self.target_scale

    def example(self, stream: Stream, index: Tensor) -> Tensor:
        """Return the examples of the stream's seed with the numbers `index` `(size,)`, as `(in_features, size)`."""

        def one(index: Tensor) -> Tensor:
            # steps below zero, which no batch is drawn at
            own = Stream(stream.seed, Purpose.TRAINING, -1 - index, stream.dtype)
            return own.integers((self.in_features,), 0, self.train_end)

        return vmap(one, out_dims=-1)(index.to(torch.int32))

    def listed(self, first: int, end: int, device: torch.device) -> Tensor:
        """Return every combination of evenly spaced integers of [first, end), `(in_features, combinations)`."""
        count = min(self.grid, end - first)
        values = first + torch.arange(count, device=device) * (end - 1 - first) // (count - 1)
        return torch.stack(torch.meshgrid(*[values] * self.in_features, indexing="ij")).flatten(1)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return half of one answer's share: none may be wrong."""
        first, end = self.test_range
        return torch.tensor(0.5 / min(self.grid, end - first) ** self.in_features, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of answers that do not round to the right integer; NaN is wrong."""
        exact = (prediction - target).abs() < 0.5 * self.target_scale
        return exact.logical_not().to(prediction.dtype).mean()
