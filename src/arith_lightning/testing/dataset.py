"""What every dataset must keep: sizes, the same examples for the same stream, a verdict that can go both ways."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from arith_lightning.architectures import MLP, ArithmeticModule, LinearLayer
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.identity import attributes, signature
from arith_lightning.testing.training import Given, Pair, beside_and_alone, pairs, recorded_and_taken


class DatasetContract:
    """Tests of one dataset; give `data`.

    Attributes:
        others: values to try by argument, where the default does not suggest another.
        together: other arguments, by argument, without which it has no other value.
        skip: arguments that are not varied.
    """

    others: ClassVar[dict[str, list[Any]]] = {}
    together: ClassVar[dict[str, Given]] = {}
    skip: ClassVar[set[str]] = set()

    @pytest.fixture
    def data(self) -> Callable[..., ArithmeticDataModule]:
        """Return what builds the dataset from any of its arguments; its class, as a rule."""
        raise NotImplementedError

    def test_it_draws_batches_of_its_sizes_and_a_finite_threshold(
        self, data: Callable[..., ArithmeticDataModule]
    ) -> None:
        """A batch is a function of the step alone."""
        built = data()
        x, y = built.training_batch(3)
        size = built.batch_size
        assert (x.shape, y.shape) == ((size, built.in_features), (size, built.out_features)), "sizes must be as said"
        again, _ = built.training_batch(3)
        assert torch.equal(x, again), "a step's batch must be the same at every call; draw from `stream` alone"
        fresh = not torch.equal(x, built.training_batch(4)[0])
        assert fresh != built.fixed, "every step must have fresh examples, or `fixed` be True"
        assert built.threshold(built.columns()).isfinite(), "`threshold` must be finite, or nothing can be solved"

    def test_the_exact_answer_is_a_success_and_a_wrong_one_is_not(
        self, data: Callable[..., ArithmeticDataModule]
    ) -> None:
        """The verdict is that of the dataset's own `judge` and `threshold`."""
        built = data()
        _, y = built.evaluation_set("extrapolation")
        limit = built.threshold(built.columns())
        assert built.judge(y, y) < limit, "the exact answer must be a success"
        wrong = -y if built.classes else 2 * y + 10
        assert built.judge(wrong, y) > limit, "an answer of 2 y + 10, or -y of classes, must not be a success"

    def test_whatever_it_holds_tells_it_from_another(self, data: Callable[..., ArithmeticDataModule]) -> None:
        """Tensors, arrays and lists part populations, unless they are columns or `transient`."""
        built = data()
        module = network_for(built)
        columns = {id(column) for column in built.columns().values()}
        for name, value in [*attributes(built, built.transient)]:
            if id(value) in columns or not isinstance(value, Tensor | np.ndarray | list):
                continue
            another = copy.deepcopy(built)
            vars(another)[name] = altered(value)
            parted = signature(module, another) != signature(module, built)
            assert parted, f"datasets that differ in {name} alone must not share their steps"

    def test_recorded_steps_are_the_steps(self, data: Callable[..., ArithmeticDataModule]) -> None:
        """Examples of a step are a function of seed, step and columns."""
        built = data()
        module = network_for(built)
        recorded, taken = recorded_and_taken(module, built)
        assert torch.equal(recorded, taken), "a batch must be a function of its stream; keep no state between batches"

    def test_beside_one_that_differs_in_an_argument_it_is_itself(
        self, data: Callable[..., ArithmeticDataModule]
    ) -> None:
        """Members share steps with nothing that draws other examples."""
        for name, base, other in pairs(data, self.others, self.together, self.skip):

            def built(given: Given) -> Pair:
                own = data(**given)
                return network_for(own), own

            beside, alone = beside_and_alone(lambda: built(base), lambda: built(other))  # noqa: B023
            assert torch.equal(beside, alone), (
                f"{name} must tell {other} from {base}; keep it as an attribute that is not `transient`, or as a column"
            )


def network_for(data: ArithmeticDataModule) -> ArithmeticModule:
    """Return a small network that a dataset can train, one of any length where the test has other lengths."""
    if data.item_features:
        return ArithmeticModule(nn.Sequential(Summed(), LinearLayer(1, data.out_features)))
    return MLP(data.in_features, data.out_features, depth=1, width=4)


class Summed(nn.Module):
    """The sum of all inputs."""

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., inputs)` to `(..., 1)`."""
        return x.sum(-1, keepdim=True)


def altered(value: Any) -> Any:
    """Return something of the same kind that differs."""
    if isinstance(value, list):
        return [*value, *value[:1]] if value else [0]
    return ~value if value.dtype in (torch.bool, bool) else value + 1
