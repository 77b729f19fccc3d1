import pytest
import torch

from arith_lightning.population.optimizers import UPDATES, adam_corrections, clip

RATES = torch.tensor([1e-3, 1e-2, 1.0, 0.3])
DECAYS = torch.tensor([0.0, 0.1, 0.5, 0.01])


def trained(name, gradients, members):
    rule, buffers = UPDATES[name]
    start = torch.linspace(-1, 1, 5).unsqueeze(1).repeat(1, len(members))
    state = {"parameters": start, **{buffer: torch.zeros_like(start) for buffer in buffers}}
    momenta = torch.full((4,), 0.9 if name == "sgd" else 0.0)
    corrections = adam_corrections(0, len(gradients)).float()
    for gradient, row in zip(gradients, corrections, strict=True):
        state = rule(state, gradient[:, members], RATES[members], row, DECAYS[members], momenta[members])
    return state


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("name", UPDATES)
def test_a_member_s_nonsense_leaves_the_others_bits(name, bad):
    gradients = torch.randn(20, 5, 4, generator=torch.Generator().manual_seed(0))
    spoiled = gradients.clone()
    spoiled[10, 2, 1] = bad
    others = [0, 2, 3]
    mine, theirs = trained(name, gradients, [*range(4)]), trained(name, spoiled, [*range(4)])
    for key in mine:
        assert torch.equal(mine[key][:, others], theirs[key][:, others])
    assert not torch.equal(mine["parameters"][:, 1], theirs["parameters"][:, 1])


@pytest.mark.parametrize("name", UPDATES)
def test_members_alone_take_the_same_steps(name):
    gradients = torch.randn(50, 5, 4, generator=torch.Generator().manual_seed(1))
    together = trained(name, gradients, [*range(4)])
    for k in range(4):
        alone = trained(name, gradients, [k])
        for key in together:
            assert torch.equal(together[key][:, [k]], alone[key])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_corrections_continue_at_any_step(name):
    torch.testing.assert_close(adam_corrections(40, 10), adam_corrections(0, 50)[40:], rtol=0, atol=0)


@pytest.mark.parametrize(("norm", "value"), [(1.0, None), (None, 0.4), (0.01, 0.4), (1e9, 1e9)])
def test_clip_is_torch_s(norm, value):
    generator = torch.Generator().manual_seed(2)
    gradient = torch.randn(6, 3, dtype=torch.float64, generator=generator) * torch.tensor([0.0, 0.1, 100.0])
    clipped = clip(gradient, norm, value)
    for member in range(3):
        single = torch.nn.Parameter(torch.zeros(6, dtype=torch.float64))
        single.grad = gradient[:, member].clone()
        if norm:
            torch.nn.utils.clip_grad_norm_([single], norm)
        if value:
            torch.nn.utils.clip_grad_value_([single], value)
        torch.testing.assert_close(clipped[:, member], single.grad, rtol=1e-14, atol=0)


@pytest.mark.parametrize("entries", [2, 9, 30, 1185])
def test_clipping_gives_a_member_the_same_bits_in_any_company(entries):
    gradient = torch.randn(entries, 50, generator=torch.Generator().manual_seed(3))
    together = clip(gradient, 0.1, None)
    for k in range(50):
        assert torch.equal(clip(gradient[:, [k]].contiguous(), 0.1, None), together[:, [k]])
    assert torch.equal(clip(gradient.flip(1), 0.1, None).flip(1), together)
