import logging

import pytest
import torch

from arith_lightning import testing

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


@pytest.fixture
def trainer():
    return testing.trainer


@pytest.fixture
def double():
    """Double precision, in which the two ways differ by rounding alone however an optimizer magnifies it."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
