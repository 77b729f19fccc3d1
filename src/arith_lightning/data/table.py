"""Rows of one's own: inputs and targets from a file, and which of its rows are the test."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from arith_lightning.complaint import require
from arith_lightning.data.base import EVALUATION_SIZE, ArithmeticDataModule, Split
from arith_lightning.data.encoding import Preparation, Scaling
from arith_lightning.data.expression import compute, parse, used
from arith_lightning.data.judging import Judge, Kind
from arith_lightning.streams import Purpose, Stream

if TYPE_CHECKING:
    import pandas as pd

TEST_SHARE = 0.2
"""Share of the rows that is tested where nothing else is said."""
DRAWABLE = 2**24
"""Rows that batches can be drawn from."""


class Table(ArithmeticDataModule):
    """Rows of a file; solved when the error on the test rows is below the tolerance.

    The interpolation set, by which the judged step is chosen, is the training rows, 10,000 drawn ones where there are
    more; the extrapolation set is every test row. Whatever is reported is in the units of the file. A search never sees
    the test rows: it trains and judges with `select`.

    Args:
        path: CSV, TSV, .npy, .npz, or Parquet where pyarrow is installed; a relative path is taken from the current
            folder.
        inputs: columns that the network sees, by name or position; null takes all but the targets.
        targets: columns that it is to answer; null takes the last one.
        header: whether the first line has the names; `auto` takes it for names if none of its cells is a number.
            Without names the columns are called c0, c1, ...
        separator: what parts cells; null is a comma, or a tab in .tsv.
        test_share: share of the rows to test on; 0 tests on the rows that are trained. null is 0.2 where neither of
            the next two is given.
        test_seed: seed by which the test rows are drawn.
        test_where: condition on the columns that makes a row a test row, such as `n > 500 and m <= 3`.
        test_path: a file with the same columns, whose rows are the test.
        select: whether the test rows are left out, and as large a share of the others, drawn by test_seed, stands for
            them.
        encode: how inputs that are integers are shown, by column: `bits(8)`, `digits(3)`, `one_hot(10)`, or
            `sines(2, 4, 8)` with periods.
        scale_inputs: `standard`, to mean 0 and standard deviation 1 of the training rows; `range`, to [-1, 1]; `none`.
        scale_targets: the same of what the network is to answer; errors stay in the units of the file.
        classes: whether the target is a label, a number or a word; the network has an output for each.
        criterion: `mse`, `largest`, `relative`, `r2`, `rounded` or `wrong`; null is `wrong` for classes, else `r2`.
        tolerance: error below which a run is solved; null is 0.01, which `mse` and `largest` do not have.
        batch_size: rows drawn for each step; null takes all training rows in every step.
        seed: seed of the training batches when one model is trained alone.

    Raises:
        ValueError: the file or what is asked of it cannot be trained and tested on, with the first reason.
    """

    transient = ArithmeticDataModule.transient | {"_placed"}

    def __init__(
        self,
        path: str,
        inputs: str | int | list[str | int] | None = None,
        targets: str | int | list[str | int] | None = None,
        header: bool | Literal["auto"] = "auto",
        separator: str | None = None,
        test_share: float | None = None,
        test_seed: int = 0,
        test_where: str | None = None,
        test_path: str | None = None,
        select: bool = False,
        encode: dict[str, str] = {},
        scale_inputs: Scaling = "none",
        scale_targets: Scaling = "none",
        classes: bool = False,
        criterion: Kind | None = None,
        tolerance: float | None = None,
        batch_size: int | None = None,
        seed: int = 0,
    ) -> None:
        from arith_lightning.data import rows  # it imports pandas: half a second, spared where no file is read

        table = rows.read(path, header, separator)
        count = len(table)
        if test_path is not None:
            other = rows.read(test_path, header, separator)
            missing = [name for name in table.columns if name not in other.columns]
            require(not missing, "test_path must have the columns of path", f"no {', '.join(missing)}", "add them")
            table = rows.below(table, other)
        names = list(table.columns)
        y_names = rows.chosen(-1 if targets is None else targets, names, "targets")
        x_names = rows.chosen([n for n in names if n not in y_names] if inputs is None else inputs, names, "inputs")
        require(
            bool(x_names and y_names), "there must be an input and a target", f"columns {', '.join(names)}", "add one"
        )
        both = [name for name in x_names if name in y_names]
        require(not both, "a target must not be an input", ", ".join(both), "take it out of inputs")
        tested = tested_rows(table, count, test_share, test_seed, test_where, test_path)
        train, test = (torch.from_numpy(mask.nonzero()[0]) for mask in (~tested, tested))
        if select and len(test):
            train, test = selected(train, len(test), test_seed)

        x = torch.from_numpy(rows.numbers(table, x_names))
        self.labels: list[str] = []
        if classes:
            require(len(y_names) == 1, "classes must be one column", ", ".join(y_names), "name one target")
            self.labels, places = rows.labels(table[y_names[0]])
            require(scale_targets == "none", "classes are not scaled", scale_targets, "leave out scale_targets")
            unknown = sorted({*places[test.numpy()]} - {*places[train.numpy()]})
            rule = "every class must be among the training rows"
            require(not unknown, rule, f"{[self.labels[k] for k in unknown]} only tested", "change the test part")
            y = torch.zeros(len(self.labels), len(table), dtype=torch.float64)
            y[torch.from_numpy(places), torch.arange(len(table))] = 1.0
        else:
            y = torch.from_numpy(rows.numbers(table, y_names))
        test = test if len(test) else train
        same = [n for n, c in zip(x_names, x[:, train], strict=True) if n not in encode and c.min() == c.max()]
        require(
            not same,
            "inputs must vary among the training rows",
            ", ".join(same),
            "take them out, or change the test part",
        )
        y_train, y_test = y[:, train], y[:, test]
        require(
            batch_size is None or len(train) <= DRAWABLE,
            "batches are drawn from 2^24 rows at most",
            len(train),
            "drop some",
        )
        super().__init__(len(train) if batch_size is None else batch_size, seed)
        self.fixed = batch_size is None
        self.preparation = Preparation(x_names, x[:, train], y_train, encode, scale_inputs, scale_targets)
        self.preparation.check(x)
        self.judging = Judge(criterion or ("wrong" if classes else "r2"), tolerance, classes, y_test)
        self.criterion = self.judging.criterion
        self.in_features, self.out_features = self.preparation.in_features, len(y)
        self.output_names, self.classes = self.labels or y_names, classes
        seen = torch.arange(len(train))
        if len(train) > EVALUATION_SIZE:
            seen = Stream(0, Purpose.INTERPOLATION).integers((EVALUATION_SIZE,), 0, len(train))
        self.seen, self.seen_y = seen, y_train[:, seen]
        self.x, self.y = self.preparation.inputs(x[:, train]), self.preparation.scaled(y_train)
        self.tested_x, self.tested_y, self.tested = self.preparation.inputs(x[:, test]), y_test, x[:, test]
        self._placed: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def for_selection(self) -> "Table":
        """Return the same rows without those of the test."""
        return self.again(select=True)

    def place(self, like: Tensor) -> None:
        """Keep the training rows on the device and in the type of `like`, one copy for all members."""
        if (like.device, like.dtype) not in self._placed:
            self._placed[like.device, like.dtype] = self.x.to(like), self.y.to(like)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Draw training rows, scaled; in an evaluation set, return its rows with targets in their units."""
        device, dtype = stream.seed.device, stream.dtype
        if stream.purpose == Purpose.TRAINING:
            x, y = self._placed.get((device, dtype), (self.x, self.y))
            if not self.fixed:
                index = stream.integers((size,), 0, self.x.shape[1])
                x, y = x.to(device)[:, index], y.to(device)[:, index]
        elif split == "interpolation":
            x, y = self.x[:, self.seen], self.seen_y
        else:
            x, y = self.tested_x, self.tested_y
        return x.to(device, dtype), y.to(device, dtype)

    def prepare(self, x: Tensor) -> Tensor:
        """Return what a network sees of inputs `(columns, rows)` as they stand in the file."""
        return self.preparation.inputs(x.double()).to(x.dtype)

    def original(self, y: Tensor) -> Tensor:
        """Return answers `(..., targets, rows)` in the units of the file."""
        return self.preparation.original(y)

    def given(self, split: Split, columns: Mapping[str, Tensor] | None = None) -> Tensor | None:
        """Return the test rows' inputs as they stand in the file, `(columns, rows)`."""
        return self.tested if split == "extrapolation" else None

    def baseline(self, target: Tensor) -> tuple[str, Tensor]:
        """Return the best constant answer, of classes the commonest one."""
        return self.judging.baseline(target)

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the tolerance; where rows are counted, half a row more."""
        return torch.tensor(self.judging.limit, dtype=torch.float64)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error of the criterion."""
        return self.judging.error(prediction, target)


def selected(train: Tensor, tested: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return which of the training rows are trained on, and which tested, as large a share as the test rows have.

    Raises:
        ValueError: there are too few.
    """
    count = max(1, round(len(train) * tested / (len(train) + tested)))
    rule = "a search must have rows to train on, two at least, and one to judge by, all beside the test rows"
    require(len(train) - count >= 2, rule, len(train), "test on fewer")
    order = train[Stream(seed, Purpose.INTERPOLATION, dtype=torch.float64).uniform((len(train),)).argsort(stable=True)]
    return order[count:].sort().values, order[:count].sort().values


def tested_rows(
    table: "pd.DataFrame", count: int, share: float | None, seed: int, where: str | None, path: str | None
) -> np.ndarray:
    """Return which rows are the test, a mask; none where the training rows are.

    Args:
        table: rows of the file, then those of a second one.
        count: rows of the first.
        share: share of the rows to draw.
        seed: seed of that.
        where: condition on the columns.
        path: the second file.

    Raises:
        ValueError: more than one way is given, or a part is empty.
    """
    ways = [name for name, way in (("share", share), ("where", where), ("path", path)) if way is not None]
    rule = "the test part must be given in one way, test_share, test_where or test_path"
    require(len(ways) <= 1, rule, " and ".join(f"test_{way}" for way in ways), "leave out all but one")
    if path is not None:
        tested = np.arange(len(table)) >= count
    elif where is not None:
        from arith_lightning.data import rows

        names = [str(name) for name in table.columns]
        tree = parse(where, [name for name in names if name.isidentifier()], "test_where")
        known = [name for name in names if name in used(tree)]
        require(bool(known), "test_where must name a column", where, f"such as {names[0]} > 0")
        values = dict(zip(known, torch.from_numpy(rows.numbers(table, known)), strict=True))
        tested = (compute(tree, values) != 0).numpy()
    else:
        share = TEST_SHARE if share is None else share
        require(0 <= share < 1, "test_share must lie in [0, 1)", share, "try 0.2")
        order = Stream(seed, Purpose.EXTRAPOLATION, dtype=torch.float64).uniform((count,)).argsort(stable=True)
        tested = np.zeros(count, dtype=bool)
        tested[order[: round(share * count)].numpy()] = True
        if share == 0:
            require(count >= 2, "there must be two rows to train on at least", count, "add some")
            return tested
    trained, asked = int((~tested).sum()), int(tested.sum())
    rule = "the training part must have two rows at least, and the test part one"
    way_out = "change the test part, or test on the training rows with test_share: 0"
    require(trained >= 2 and asked >= 1, rule, f"{trained} and {asked}", way_out)
    return tested
