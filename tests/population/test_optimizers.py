import pytest
import torch

from arith_lightning.architectures import MLP
from arith_lightning.architectures.optimizers import SignSGD
from arith_lightning.data import BitParity, ModularArithmetic
from arith_lightning.population import Population
from arith_lightning.population.optimizers import UPDATES, adam_corrections, clip

RATES = torch.tensor([1e-3, 1e-1, 0.5], dtype=torch.float64)
TORCH = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "sign_sgd": SignSGD,
    "rmsprop": torch.optim.RMSprop,
}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("adam", {}),
        ("adamw", {}),
        ("sgd", {"momentum": 0.9}),
        ("sign_sgd", {}),
        ("rmsprop", {"alpha": 0.99}),
        ("rmsprop", {"alpha": 0.9}),
    ],
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_torch_s(name, options, decay):
    memory = next(iter(options.values()), 0.0)
    start = torch.rand(4, 3, dtype=torch.float64)
    targets = torch.rand(50, 4, 3, dtype=torch.float64)
    rule, buffers = UPDATES[name]
    state = {"parameters": start.clone(), **{buffer: torch.zeros_like(start) for buffer in buffers}}
    corrections = adam_corrections(0, 50)
    hyper = {name: torch.full((3,), memory, dtype=torch.float64) for name in ("momentum", "smoothing")}
    hyper |= {"learning_rate": RATES, "weight_decay": torch.full((3,), decay, dtype=torch.float64)}
    for step, target in enumerate(targets):
        state = rule(state, 2 * (state["parameters"] - target), corrections[step], hyper)
    for member, rate in enumerate(RATES):
        single = start[:, member].clone().requires_grad_()
        optimizer = TORCH[name]([single], lr=rate.item(), weight_decay=decay, **options)
        for target in targets:
            optimizer.zero_grad()
            (single - target[:, member]).square().sum().backward()
            optimizer.step()
        torch.testing.assert_close(state["parameters"][:, member], single.detach(), rtol=1e-12, atol=1e-12)


def test_clipping_is_torch_s_for_each_member_and_keeps_nan_in_its_member():
    gradient = torch.randn(6, 4) * torch.tensor([0.01, 1.0, 100.0, torch.nan])
    clipped = clip(gradient, norm=1.0, value=0.4)
    for member in range(3):
        single = torch.nn.Parameter(torch.zeros(6))
        single.grad = gradient[:, member].clone()
        torch.nn.utils.clip_grad_norm_([single], 1.0)
        torch.nn.utils.clip_grad_value_([single], 0.4)
        torch.testing.assert_close(clipped[:, member], single.grad)
    assert clipped[:, 3].isnan().all()


def test_a_sign_sgd_step_by_hand():
    hyper = {"learning_rate": torch.tensor([0.1, 0.5]), "weight_decay": torch.tensor([0.0, 0.2])}
    gradient = torch.tensor([[3.0, -1e-9], [-0.5, 0.0]])
    state = UPDATES["sign_sgd"][0]({"parameters": torch.ones(2, 2)}, gradient, torch.ones(2), hyper)
    # 1 - 0.1, 1 + 0.1 without decay; 0.9 + 0.5, 0.9 with decay 0.5 * 0.2
    torch.testing.assert_close(state["parameters"], torch.tensor([[0.9, 1.4], [1.1, 0.9]]))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    ("arguments", "kind", "data"),
    [
        (
            {"init": "signs", "loss": "hinge", "head": "sigmoid", "optimizer": "sign_sgd", "weight_decay": 0.01},
            BitParity,
            {"bits": 30, "relevant": 3, "rows": 50, "batch_size": 16},
        ),
        (
            {"loss": "logits", "head": "softmax", "optimizer": "adamw", "weight_decay": 1.0},
            ModularArithmetic,
            {"modulus": 5},
        ),
    ],
)
def test_sparse_parity_and_modular_arithmetic_train_alone_as_in_a_population(arguments, kind, data, trainer):
    size = kind(**data)
    sizes = {"in_features": size.in_features, "out_features": size.out_features, "depth": 1, "width": 8}
    population = Population(MLP(**sizes, **arguments), size, seeds=[0, 4], evaluate_every=20)
    trainer(20).fit(population)
    for k, seed in enumerate((0, 4)):
        single = MLP(**sizes, **arguments, seed=seed)
        trainer(20, limit_val_batches=0).fit(single, kind(**data, seed=seed))
        alone = torch.cat([parameter.detach().flatten() for parameter in single.parameters()])
        torch.testing.assert_close(population.live.parameters[:, k], alone, rtol=1e-9, atol=1e-12)
