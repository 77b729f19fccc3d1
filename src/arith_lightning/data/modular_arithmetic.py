"""Modular arithmetic: a + b, a - b or a * b mod p of two numbers below p, classes from pairs of one-hot vectors.

All p^2 pairs are listed; a share of them is trained on, in every step, and the others are asked. A network may have its
training pairs right long before it has the others right.

Sources: Power, Burda, Edwards, Babuschkin, Misra, "Grokking: generalization beyond overfitting on small algorithmic
datasets" (2022); Gromov, "Grokking modular arithmetic" (2023).
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from arith_lightning.complaint import require
from arith_lightning.data.base import ArithmeticDataModule, Asked, Criterion, JudgedStep, Split
from arith_lightning.streams import SEEDS, Purpose, Stream

OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"add": torch.add, "sub": torch.sub, "mul": torch.mul}
LARGEST = 128
"""Largest modulus; its pairs take 16 MiB."""


class ModularArithmetic(ArithmeticDataModule):
    """All pairs of numbers below `modulus`, full batch; solved when (almost) every tested pair has the right class.

    The pairs that are not trained on are halved: one half is for choosing, the other for reporting. (a, b) and (b, a)
    are two pairs, as published.

    Args:
        modulus: p, the number of classes; inputs are the 2 p entries of two one-hot vectors.
        operation: add, sub or mul.
        train_share: share of the p^2 pairs that is trained on.
        split_seed: seed of the split, which all members share.
        choosing: the interpolation set: the `trained` pairs, or the `held_out` ones that are not reported.
        judged_step: the step a run is judged at: the `last`; that of the `lowest` error on the interpolation set, which
            with trained pairs is blind to a network that generalises late; or the `first_success`.
        held_out: half of the other pairs to test on: `selection` for choosing settings, `test` for reporting.
        tolerance: largest share of wrong answers that counts as solved.
        seed: has no effect, since every step has all training pairs.
    """

    fixed = True
    classes = True
    criterion = Criterion("share of wrong answers", share=True)

    def __init__(
        self,
        modulus: int = 23,
        operation: Literal["add", "sub", "mul"] = "add",
        train_share: float = 0.5,
        split_seed: int = 0,
        choosing: Literal["trained", "held_out"] = "trained",
        judged_step: JudgedStep = "last",
        held_out: Literal["selection", "test"] = "test",
        tolerance: float = 0.01,
        seed: int = 0,
    ) -> None:
        require(2 <= modulus <= LARGEST, f"modulus must lie in [2, {LARGEST}]", modulus, "try 23")
        for name, value, known in (
            ("operation", operation, tuple(OPERATIONS)),
            ("choosing", choosing, ("trained", "held_out")),
            ("judged_step", judged_step, get_args(JudgedStep)),
            ("held_out", held_out, ("selection", "test")),
        ):
            require(value in known, f"{name} must be one of {', '.join(known)}", value, f"try {known[0]}")
        require(split_seed in SEEDS, "split_seed must lie in [0, 2^31)", split_seed, "try 0")
        require(0 <= tolerance < 1, "tolerance must lie in [0, 1)", tolerance, "try 0.01")
        count = round(train_share * modulus**2) if 0 < train_share < 1 else 0
        rule = "train_share must leave a pair to train on and two to test"
        require(1 <= count <= modulus**2 - 2, rule, f"{train_share} of {modulus}^2 pairs", "try 0.5")
        super().__init__(count, seed)
        self.modulus, self.operation, self.tolerance = modulus, operation, tolerance
        self.judged_step, self.in_features, self.out_features = judged_step, 2 * modulus, modulus
        self.output_names = [str(k) for k in range(modulus)]
        numbers = torch.arange(modulus)
        pairs = torch.cartesian_prod(numbers, numbers).mT
        keys = Stream(split_seed, Purpose.EXTRAPOLATION, dtype=torch.float64).uniform((modulus**2,))
        trained, *halves = pairs[:, keys.argsort(stable=True)].tensor_split([count, (count + modulus**2) // 2], dim=1)
        self.trained, self.tested = trained, halves[held_out == "test"]
        self.chosen_by = trained if choosing == "trained" else halves[0]

    def for_selection(self) -> "ModularArithmetic":
        """Return the same training pairs with the half that is not reported as the tested one."""
        return self.again(held_out="selection")

    def asked(self, columns: Mapping[str, Tensor]) -> Asked:
        """Return the operation."""
        return Asked(self.operation)

    def draw(self, stream: Stream, columns: Mapping[str, Tensor], split: Split, size: int) -> tuple[Tensor, Tensor]:
        """Return all pairs of the split, whatever `size`: `(2 p, pairs)`, `(p, pairs)`."""
        if split == "extrapolation":
            pairs = self.tested
        else:
            pairs = self.trained if stream.purpose == Purpose.TRAINING else self.chosen_by
        a, b = pairs.to(stream.seed.device)
        answer = OPERATIONS[self.operation](a, b) % self.modulus
        first, second, target = (one_hot(k, self.modulus).mT.to(stream.dtype) for k in (a, b, answer))
        return torch.cat([first, second]), target

    def threshold(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Return the tolerance plus half of one pair's share, below which at most that share is wrong."""
        return torch.tensor(self.tolerance + 0.5 / self.tested.shape[1], dtype=torch.float64)

    def baseline(self, target: Tensor) -> tuple[str, Tensor]:
        """Return the commonest class for every pair."""
        mean = target.mean(-1, keepdim=True)
        return "the majority class", one_hot(mean.argmax(0), len(mean)).mT.to(target.dtype).expand_as(target)

    def judge(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the share of pairs whose largest output is not that of the answer; NaN is wrong."""
        right = (prediction.argmax(0) == target.argmax(0)) & prediction.isfinite().all(0)
        return 1 - right.double().mean()
