"""The models that are timed, each with its task; one line a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from arith_lightning.architectures import MLP, NAC, NALU, NMU, RNN, ArithmeticModule, DeepSets, Stack
from arith_lightning.benchmark.speed import batches
from arith_lightning.data import (
    ArithmeticDataModule,
    ArithmeticTask,
    BinaryMultiplication,
    BitParity,
    NumberSets,
    SequenceParity,
    SingleModuleTask,
)

Draw = Callable[[int], tuple[Tensor, Tensor]]
SMALL, MIDDLE, LARGE = (1, 64, 225, 1024), (1, 16, 64, 225), (1, 16, 64)
"""Numbers of members for networks of so many parameters or inputs."""


@dataclass(frozen=True)
class Row:
    """A model on a task.

    Attributes:
        title: what a table calls it.
        module: the model as this project trains it.
        data: its task.
        batch: draws so many inputs and targets as a tutorial would.
        sizes: numbers of members that are timed.
        plain: the network of the plain loop; the module's own where None.
        tuned: whether JAX runs it laid out by hand, too.
    """

    title: str
    module: ArithmeticModule
    data: ArithmeticDataModule
    batch: Draw
    sizes: tuple[int, ...]
    plain: nn.Module | None = None
    tuned: bool = False

    @property
    def flop(self) -> int:
        """Operations of an update in products of matrices: one member, forward and backward; 0 without products."""
        counter = FlopCounterMode(display=False)
        x, y = self.data.training_batch(0)
        with counter:
            self.module.error(self.module(x), x, y).backward()
        self.module.zero_grad()
        return int(counter.get_total_flops())


def unit(module: ArithmeticModule, operation: str, batch: Draw) -> Row:
    """Return the row of a unit of two inputs on the single module task."""
    data, name = SingleModuleTask(operation=operation), type(module).__name__
    return Row(f"{name}, batch 128", module, data, batch, SMALL, tuned=True)


def mlp(data: ArithmeticDataModule, batch: Draw, inner: Sequence[int], sizes: tuple[int, ...], task: str) -> Row:
    """Return the row of a multilayer perceptron, in the plain loop one of torch's own layers."""
    ends = (data.in_features, data.out_features)
    several = data.out_features > 1
    head, loss = ("sigmoid", "cross_entropy") if several else ("linear", "mse")
    module = MLP(*ends, widths=list(inner), head=head, loss=loss)  # type: ignore[arg-type]
    every = [ends[0], *inner, ends[1]]
    layers = [layer for pair in pairwise(every) for layer in (nn.Linear(*pair), nn.ReLU())][:-1]
    plain = nn.Sequential(*layers, *([nn.Sigmoid()] if several else []))
    name = "-".join(map(str, every))
    return Row(f"MLP {name}, {task}, batch {data.batch_size}", module, data, batch, sizes, plain)


def rnn() -> Row:
    """Return the row of a recurrent network on ten symbols."""
    data = SequenceParity(max_length=10, batch_size=64)
    module = RNN(width=32, learning_rate=5e-3)
    return Row("RNN of width 32, 10 symbols, batch 64", module, data, batches.sequences, SMALL)


def deep_sets() -> Row:
    """Return the row of a Deep Sets network on products of up to five numbers."""
    module = DeepSets(in_features=10, features=16, rho="exponential")
    data = NumberSets(operation="product", max_size=5)
    return Row("Deep Sets, products of 5, batch 128", module, data, batches.sets, SMALL)


def arithmetic() -> Row:
    """Return the row of an addition unit and a multiplication unit on 100 inputs, each member with its own examples."""
    module = Stack(in_features=100, penalty_weight=10.0, penalty_start=1_000_000, penalty_end=2_000_000)
    return Row("NAU, NMU, 100 inputs, batch 128", module, ArithmeticTask(), batches.windows, MIDDLE)


def wide() -> Row:
    """Return the row of the widest perceptron."""
    return mlp(SingleModuleTask(batch_size=256), batches.products, [128] * 4, LARGE, "product")


ROWS: dict[str, Callable[[], Row]] = {
    "nmu": lambda: unit(NMU(), "mul", batches.products),
    "nalu": lambda: unit(NALU(), "mul", batches.products),
    "nac": lambda: unit(NAC(), "add", batches.sums),
    "mlp": lambda: mlp(SingleModuleTask(), batches.products, [32, 32], SMALL, "product"),
    "mlp_parity": lambda: mlp(BitParity(bits=16), batches.bits, [64, 64], SMALL, "parity"),
    "mlp_product": lambda: mlp(
        BinaryMultiplication(train_share=1.0), batches.binary_products, [64] * 4, MIDDLE, "products"
    ),
    "mlp_wide": wide,
    "rnn": rnn,
    "deep_sets": deep_sets,
    "arithmetic": arithmetic,
}
"""Rows by the name that `--rows` takes, in the order of the table."""
