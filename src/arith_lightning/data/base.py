"""What every dataset shares: examples as a pure function of a stream of numbers, and what counts as solved.

A dataset says how examples are drawn, for one member; a population maps the same code over members, and a plain
`Trainer` gets loaders built on it. Examples lie along the last axis, `(features, examples)`, where populations are
fastest.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from arith_lightning.again import Again
from arith_lightning.complaint import require
from arith_lightning.streams import SEEDS, Purpose, Stream

Split = Literal["interpolation", "extrapolation"]
JudgedStep = Literal["lowest", "last", "first_success"]
"""The step that is judged: that of the lowest interpolation error, the last, or the first success, else the lowest."""
EVALUATION_SIZE = 10_000
"""Examples in the fixed interpolation and extrapolation sets, as in the published benchmarks."""


class Criterion(NamedTuple):
    """What a run is judged by."""

    name: str
    """The error that `judge` measures, as tables show it."""
    squared: bool = False
    """Whether that is the mean squared error."""
    share: bool = False
    """Whether it is a share of wrong answers, the rest of which is the accuracy."""
    unexplained: bool = False
    """Whether it is 1 - R^2."""


class Asked(NamedTuple):
    """What a member was asked, as tables show it; None where a dataset has no such thing."""

    operation: str | None = None
    interpolation: str | None = None
    extrapolation: str | None = None
    epsilon: float | None = None


class ArithmeticDataModule(Again, LightningDataModule):
    """A dataset of arithmetic: fresh training batches, a fixed interpolation set and a fixed extrapolation set.

    Subclasses define `draw`, set `in_features` and `out_features`, and say what solves them: a `tolerance` or a
    `threshold` of their own, and `judge` where that is not the mean squared error.

    Args:
        batch_size: examples in a training batch.
        seed: seed of the training batches when one model is trained alone; populations bring their own.
    """

    in_features: int
    out_features: int = 1
    item_features: int = 0
    """Features of an item where tested examples have other numbers of items than those trained on; 0 where all have
    `in_features`."""
    fixed: bool = False
    """Whether every step and every member trains on the same examples."""
    shared_stream: bool = False
    """Whether every member trains on the fresh batches of seed 0, as only a dataset without columns may; members then
    differ in start and settings alone."""
    draws_ahead: bool = False
    """Whether training batches come from `draw_ahead`, drawn ahead of the steps, instead of `draw` inside them."""
    criterion: Criterion = Criterion("MSE", squared=True)
    """What `judge` measures."""
    judged_step: JudgedStep = "lowest"
    """Which of the evaluated steps a run is judged at."""
    consecutive: ClassVar[bool] = False
    """Whether the extrapolation set is the integers from 0 on with one answer each, which is drawn as a grid."""
    output_names: Sequence[str] = ()
    """What the outputs are called, where they have names."""
    classes: bool = False
    """Whether outputs are classes, the largest of which is the answer."""
    tolerance: float
    """Error below which a run is solved, where that is one number."""
    transient: ClassVar[frozenset[str]] = frozenset({"seed", "evaluation_seed"})
    """Attributes that do not decide which examples a stream draws, such as caches; all others keep populations of
    datasets that differ in them apart."""
    evaluation_seed: int = 0
    """Seed of the evaluation sets; a search sets another, so that what it selects by is not what is reported."""

    def __init__(self, batch_size: int = 128, seed: int = 0) -> None:
        super().__init__()
        require(batch_size >= 1, "batch_size must be positive", batch_size, "the published value is 128")
        require(seed in SEEDS, "seed must lie in [0, 2^31)", seed, "try 0")
        self.batch_size, self.seed = batch_size, seed

    def for_selection(self) -> "ArithmeticDataModule":
        """Return the dataset that a search selects by, which gives it another `evaluation_seed`; itself here.

        One whose test examples do not follow from that seed puts others in their place.
        """
        return self

    def columns(self) -> dict[str, Tensor]:
        """Return the numbers that may differ between members of one population, as float64 tensors by name."""
        return {}

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return what a member with these columns is asked, for tables."""
        return Asked()

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw `size` examples: inputs `(in_features, size)`, targets `(out_features, size)`, in the stream's dtype."""
        raise NotImplementedError

    def draw_ahead(
        self, seeds: Tensor, columns: Mapping[str, Tensor], step: int, count: int, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Return the training batches of `count` steps from `step` on where they are drawn ahead of the steps.

        Args:
            seeds: seeds of the members, `(members,)`.
            columns: the members' columns, each with a leading axis of members.
            step: the first step.
            count: number of steps.
            dtype: floating type of inputs and targets, `(count, members, features, batch_size)` each.
        """
        raise NotImplementedError

    def place(self, like: Tensor) -> None:
        """Keep what training batches are drawn from on the device and in the type of `like`; nothing here."""

    def prepare(self, x: Tensor) -> Tensor:
        """Return what a network sees of inputs `(columns, rows)` as people have them; the same unless overridden."""
        return x

    def original(self, y: Tensor) -> Tensor:
        """Return a network's answers `(..., out_features, rows)` in the units of an evaluation set's targets.

        A dataset that scales targets does so in the draws of training alone, and undoes it here.
        """
        return y

    def given(self, split: Split, columns: Mapping[str, Tensor] | None = None) -> Tensor | None:
        """Return an evaluation set's inputs `(columns, rows)` as people have them; None where a network sees them."""
        return None

    def baseline(self, target: Tensor) -> tuple[str, Tensor]:
        """Return the best constant answer to targets `(out_features, rows)`: what it is called, and it, like them."""
        return "the mean", target.mean(-1, keepdim=True).expand_as(target)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return what `judge` must be below on the extrapolation set for a success; `tolerance` unless overridden."""
        return torch.tensor(self.tolerance, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error by which a run is judged, a scalar; the mean squared error unless overridden.

        Args:
            prediction: answers in the units of the targets, `(out_features, rows)`.
            target: the targets.
        """
        return (prediction - target).square().mean(dtype=torch.float64)

    def evaluation_set(
        self, split: Split, columns: Mapping[str, Tensor] | None = None, like: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the fixed set of a split, the same for every seed, with the dtype and device of `like`."""
        like = torch.zeros(()) if like is None else like
        seed = torch.full((), self.evaluation_seed, dtype=torch.int32, device=like.device)
        stream = Stream(seed, Purpose[split.upper()], dtype=like.dtype)
        return self.draw(stream, self.columns() if columns is None else columns, split, EVALUATION_SIZE)

    def batch(self, step: int, dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
        """Return this data module's own batch of a step, `(features, examples)` each; torch's default dtype if None."""
        dtype = dtype or torch.get_default_dtype()
        if self.draws_ahead:
            columns = {name: column.unsqueeze(0) for name, column in self.columns().items()}
            x, y = self.draw_ahead(torch.tensor([self.seed]), columns, step, 1, dtype)
            return x[0, 0], y[0, 0]
        stream = Stream(0 if self.shared_stream else self.seed, Purpose.TRAINING, step, dtype)
        return self.draw(stream, self.columns(), "interpolation", self.batch_size)

    def training_batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the batch as torch's networks take it, `(examples, features)` each."""
        x, y = self.batch(step)
        return x.mT, y.mT

    def train_dataloader(self) -> "Batches":
        """Return an endless iterable of fresh batches `(examples, features)`."""
        return Batches(self)

    def val_dataloader(self) -> Any:
        """Return the interpolation and the extrapolation set, each as one batch."""
        sets = (self.evaluation_set("interpolation"), self.evaluation_set("extrapolation"))
        return [DataLoader(TensorDataset(x.mT, y.mT), batch_size=x.shape[-1]) for x, y in sets]

    def test_dataloader(self) -> Any:
        """Return the same two sets."""
        return self.val_dataloader()


class Batches:
    """The endless training batches of a data module; continues at the trainer's step after a resume."""

    def __init__(self, data: ArithmeticDataModule) -> None:
        self.data = data

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        step = self.data.trainer.global_step if self.data.trainer else 0
        while True:
            yield self.data.training_batch(step)
            step += 1
