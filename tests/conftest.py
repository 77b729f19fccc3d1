import logging

import pytest
import torch

from arith_lightning import testing

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


@pytest.fixture
def trainer():
    return testing.trainer
