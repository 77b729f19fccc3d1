"""What holds for every architecture, dataset and operation, as tests to inherit; the one place that needs pytest.

    class TestMine(ArchitectureContract):
        @pytest.fixture
        def module(self):
            return Mine

A factory takes any of its constructor's arguments. A failure is one sentence: the rule, and the way out.
"""

from arith_lightning.testing.answering import AnswerContract
from arith_lightning.testing.architecture import ArchitectureContract
from arith_lightning.testing.dataset import DatasetContract
from arith_lightning.testing.exports import architectures, datasets, task_for
from arith_lightning.testing.operation import OperationContract
from arith_lightning.testing.training import trainer

__all__ = [
    "AnswerContract",
    "ArchitectureContract",
    "DatasetContract",
    "OperationContract",
    "architectures",
    "datasets",
    "task_for",
    "trainer",
]
