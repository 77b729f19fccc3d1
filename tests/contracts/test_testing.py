"""The shipped suites catch what a newcomer gets wrong, and say how to put it right."""

import pytest
import torch
from tests.forked import Forked

from arith_lightning.architectures import NMU, ArithmeticModule, NMULayer
from arith_lightning.data import SingleModuleTask
from arith_lightning.data.operations import Operation, linear
from arith_lightning.testing import ArchitectureContract, DatasetContract, OperationContract, task_for


class TorchProductLayer(NMULayer):
    def forward(self, x):
        return (self.weight * x.unsqueeze(-2) + 1 - self.weight).prod(-1)


class TorchProduct(NMU):
    layer = TorchProductLayer


class SilentLayer(NMULayer):
    def weights(self):
        return {}


class Silent(NMU):
    layer = SilentLayer


class LuckyLayer(NMULayer):
    def initial(self, stream):
        return {"weight": torch.rand(1, 2)}


class Lucky(NMU):
    layer = LuckyLayer


class Hidden(SingleModuleTask):
    """Its draws depend on what it says they do not depend on."""

    transient = SingleModuleTask.transient | {"offset"}

    def __init__(self, offset: float = 0.0, seed: int = 0):
        super().__init__(seed=seed)
        self.offset = offset

    def draw(self, *arguments):
        x, y = super().draw(*arguments)
        return x, y + self.offset


class Forgiving(SingleModuleTask):
    def judge(self, prediction, target):
        return super().judge(prediction, target) * 0


ARCHITECTURES, DATASETS = ArchitectureContract(), DatasetContract()


@pytest.mark.parametrize(
    ("kind", "test", "told"),
    [
        (TorchProduct, "members_cannot_leak_through_a_product", "must not call torch.prod, whose backward"),
        (Silent, "it_says_its_weights_or_that_it_has_none", "or set `discrete = False`"),
        (Lucky, "it_starts_as_its_seed_says", "network.weight must start from the stream alone"),
    ],
)
def test_a_wrong_architecture_is_told(kind, test, told):
    tested = getattr(ARCHITECTURES, f"test_{test}")
    given = {"module": kind} | ({"data": task_for(kind)} if "leak" in test else {})
    with pytest.raises(AssertionError, match=told):
        tested(**given)


@pytest.mark.parametrize(
    ("kind", "test", "told"),
    [
        (Hidden, "beside_one_that_differs_in_an_argument_it_is_itself", "offset must tell"),
        (Forgiving, "the_exact_answer_is_a_success_and_a_wrong_one_is_not", "must not be a success"),
    ],
)
def test_a_wrong_dataset_is_told(kind, test, told):
    with pytest.raises(AssertionError, match=told):
        getattr(DATASETS, f"test_{test}")(kind)


def test_an_operation_with_the_threshold_of_another_is_told():
    wrong = Operation("mod", torch.remainder, linear)
    with pytest.raises(AssertionError, match="the epsilon-perfect error of mod must be"):
        OperationContract().test_its_threshold_is_the_error_of_operands_off_by_epsilon(wrong, [1.0, 3.0])


class Late(ArithmeticModule):
    """Starts with an attribute that it sets last."""

    def __init__(self, in_features: int = 2, out_features: int = 1, floor: float = 0.25, **training):
        super().__init__(NMULayer(in_features, out_features), **training)
        self.floor = floor

    def initial(self, stream):
        return {name: value + self.floor for name, value in super().initial(stream).items()}


class TestLate(ArchitectureContract):
    @pytest.fixture
    def module(self):
        return Late


class Listed(SingleModuleTask):
    def __init__(self, factors: list[float] = [1.0, 2.0], batch_size: int = 8, seed: int = 0):
        super().__init__(batch_size=batch_size, seed=seed)
        self.factors, self.shift = factors, torch.tensor([1.0])

    def draw(self, *arguments):
        x, y = super().draw(*arguments)
        return x, y * sum(self.factors) + self.shift


class TestListed(DatasetContract):
    @pytest.fixture
    def data(self):
        return Listed


def test_nothing_else_needs_pytest():
    code = "import sys, arith_lightning.fit, arith_lightning.search; assert 'pytest' not in sys.modules"
    ended = Forked(["-c", code], ".").ended()
    assert ended.returncode == 0, ended.stderr
