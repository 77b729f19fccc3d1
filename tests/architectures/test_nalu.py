import pytest
import torch
from torch.func import functional_call

from arith_lightning.architectures import NALULayer
from arith_lightning.streams import Purpose, Stream


@pytest.mark.parametrize(("gate", "expected"), [(-50.0, 5.0), (50.0, 6.0), (0.0, 5.5)])
def test_separate_weights_let_each_path_have_its_own_answer(gate, expected):
    layer = NALULayer(2, 1, separate=True)
    values = {name: torch.full((1, 2), 20.0) for name in ("m_hat", "w_hat_mul", "m_hat_mul")}
    values |= {"w_hat": torch.tensor([[20.0, -20.0]]), "gate": torch.full((1, 2), gate)}
    y = functional_call(layer, values, (torch.tensor([[2.0, -3.0]]),))
    # 2 - (-3) = 5 and |2| |-3| = 6; the gate's inputs sum to -1
    assert y.item() == pytest.approx(expected, rel=1e-6)


def test_separate_weights_start_apart_and_leave_the_others_as_they_were():
    stream = [Stream(3, Purpose.INITIALIZATION) for _ in range(2)]
    shared, separate = (NALULayer(2, 1, separate=s).initial(stream[s]) for s in (False, True))
    assert all(torch.equal(separate[name], value) for name, value in shared.items())
    assert not torch.equal(separate["w_hat_mul"], separate["w_hat"])
