import pytest
import torch

from arith_lightning.architectures import DeepSets, ProductSet
from arith_lightning.architectures.layer import load


def sets(*rows, places):
    numbers = [list(row) + [0.0] * (places - len(row)) for row in rows]
    masks = [[1.0] * len(row) + [0.0] * (places - len(row)) for row in rows]
    return torch.cat([torch.tensor(numbers), torch.tensor(masks)], dim=-1)


@pytest.mark.parametrize("rho", ["linear", "mlp", "exponential"])
def test_order_and_padding_do_not_matter(rho):
    module = DeepSets(rho=rho)
    once = module(sets((0.5, 2.0, 1.0), places=3))
    torch.testing.assert_close(once, module(sets((1.0, 0.5, 2.0), places=3)))
    torch.testing.assert_close(once, module(sets((2.0, 1.0, 0.5), places=50)))


def test_a_linear_phi_and_rho_sum():
    module = DeepSets(width=1, features=1, activation="none")
    names = [name for name, _ in module.named_parameters()]
    load(module, {n: torch.ones_like(p) * n.endswith("weight") for n, p in module.named_parameters()})
    assert len(names) == 6
    assert module(sets((1.0, 2.5), (4.0,), places=2)).flatten().tolist() == [3.5, 4.0]


def test_an_exponential_rho_is_trained_on_logarithms():
    module = DeepSets(rho="exponential")
    y = torch.tensor([[1.0], [10.0]])
    assert module.error(y * torch.e, y, y).item() == pytest.approx(1.0)


def test_a_product_set_multiplies_what_its_mask_shows():
    module = ProductSet()
    load(module, {"network.weight": torch.ones(1, 1)})
    assert module(sets((2.0, -3.0), (4.0,), places=2)).flatten().tolist() == [-6.0, 4.0]
    assert module(sets((2.0,) * 10, places=12)).item() == 1024.0
    load(module, {"network.weight": torch.full((1, 1), 0.5)})
    assert module(sets((2.0, -3.0), places=2)).item() == -1.5


def test_a_set_without_masks_is_refused():
    with pytest.raises(ValueError, match="as many masks as numbers; in_features; got 5; make it even"):
        DeepSets(in_features=5)
