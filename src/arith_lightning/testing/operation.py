"""What every operation must keep: what counts as solved is the error of a solution whose weights are nearly right."""

from itertools import product

import pytest
import torch

from arith_lightning.data.distributions import Moments, intervals, uniform
from arith_lightning.data.operations import Operation
from arith_lightning.streams import Purpose, Stream

EPSILON = 1e-4
SIZE = 200_000
RANGES = ([1.0, 3.0], [[-3.0, -1.0], [2.0, 4.0]])


class OperationContract:
    """Tests of one operation of two numbers; give `operation`."""

    @pytest.fixture
    def operation(self) -> Operation:
        """Return the operation."""
        raise NotImplementedError

    @pytest.mark.parametrize("numbers", RANGES, ids=str)
    def test_its_threshold_is_the_error_of_operands_off_by_epsilon(
        self, operation: Operation, numbers: list[float] | list[list[float]]
    ) -> None:
        """Each operand is scaled by 1 + epsilon or 1 - epsilon, whichever errs most."""
        rows = intervals("numbers", numbers, count=2)
        limit = operation.epsilon_perfect([Moments.of(rows)] * operation.operands, EPSILON).item()
        a, b = uniform(Stream(0, Purpose.TRAINING, dtype=torch.float64), rows, (2, SIZE))
        answer = operation.function(a, b)
        off = [operation.function(a * (1 + s), b * (1 + t)) for s, t in product((-EPSILON, EPSILON), repeat=2)]
        error = torch.stack([(one - answer).square() for one in off]).amax(0).mean().item()
        undefined = not answer.isfinite().all()
        assert undefined or error == pytest.approx(limit, rel=0.03), (
            f"the epsilon-perfect error of {operation.name} must be that of its operands off by epsilon, {error:.3g} "
            f"on {numbers}; got {limit:.3g}; write it as a function of the inputs' moments"
        )
