"""Any network of torch's trains as a population; what cannot is refused in one sentence."""

import functools
import random

import pytest
import torch
from torch import nn

from arith_lightning.architectures import MLP, Network, NMULayer
from arith_lightning.data import SingleModuleTask
from arith_lightning.population import Population
from arith_lightning.testing import ArchitectureContract


def sequential(width=8):
    return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 1))


def network(*layers, **training):
    return Network(nn.Sequential(*layers), **training)


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Linear(2, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(torch.tanh(self.inner(x)))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.last, self.norm = nn.Linear(1, 4), nn.Linear(4, 1), nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, bias=False, batch_first=True)  # that of keys has no gradient

    def forward(self, x):
        h = self.embed(x.unsqueeze(-1))
        return self.last(self.norm(h + self.attention(h, h, h)[0]).mean(1))


class Convolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.filters, self.last = nn.Conv1d(1, 4, 2), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(torch.relu(self.filters(x.unsqueeze(1))).flatten(1))


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.last = nn.GRUCell(1, 4), nn.Linear(4, 1)

    def forward(self, x):
        state = x.new_zeros(len(x), 4)
        for k in range(x.shape[1]):
            state = self.cell(x[:, k : k + 1], state)
        return self.last(state)


class Bilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.product = nn.Bilinear(1, 1, 1)

    def forward(self, x):
        return self.product(x[:, :1].contiguous(), x[:, 1:].contiguous())


class Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(9, 3), nn.Linear(6, 1)

    def forward(self, x):
        return self.last(self.table(x.long().clamp(0, 8)).flatten(1))


class Tied(Part):
    def __init__(self):
        super().__init__()
        self.inner, self.other = nn.Linear(2, 2), nn.Linear(2, 4)
        self.again = nn.Linear(2, 2)
        self.again.weight = self.inner.weight

    def forward(self, x):
        return self.last(torch.tanh(self.other(self.again(torch.tanh(self.inner(x))))))


class Buffers(Part):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.tensor([1.0, -1.0]))
        self.register_buffer("order", torch.tensor([1, 0]))
        self.register_buffer("some", torch.tensor([True, True]))

    def forward(self, x):
        return super().forward((x + self.shift)[:, self.order][:, self.some])


class Raw(Part):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.randn(1) * factor)

    def forward(self, x):
        return self.factor * super().forward(x)


KINDS = [Attention, Convolution, Cells, Bilinear, Embedded, Tied, Buffers, Raw]


class TestNetwork(ArchitectureContract):
    others = {"activation": ["tanh"]}
    together = {"loss": {"head": "sigmoid"}}

    @pytest.fixture(params=[sequential, *KINDS])
    def module(self, request):
        return functools.partial(Network, request.param)


class TestGivenAsAnObject(ArchitectureContract):
    together = {"loss": {"head": "sigmoid"}}

    @pytest.fixture
    def module(self):
        return functools.partial(Network, Part())


@pytest.mark.parametrize("given", [Part, Part(), sequential, sequential(), Raw, functools.partial(Raw, 3.0)])
def test_a_member_starts_as_the_module_does_after_manual_seed_and_touches_no_generator(given):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    population = Population(Network(given, head="sigmoid", loss="cross_entropy"), SingleModuleTask(), seeds=[4, 9])
    assert torch.equal(torch.rand(1), expected)
    for k, seed in enumerate((4, 9)):
        torch.manual_seed(seed)
        own = (
            given() if not isinstance(given, nn.Module) else type(given)() if isinstance(given, Part) else sequential()
        )
        flat = torch.cat([parameter.flatten() for parameter in own.parameters()])
        assert torch.equal(population.live.parameters[:, k], flat)


def test_two_builders_of_one_structure_keep_their_starts():
    ends = [
        Population(Network(functools.partial(Raw, f)), SingleModuleTask(), seeds=[0]).live.parameters for f in (1, 3)
    ]
    assert not torch.equal(*ends)


def test_parts_may_have_bounds_and_a_penalty(trainer):
    own = network(NMULayer(2, 2), nn.Linear(2, 1), penalty_weight=0.5, learning_rate=0.9)
    assert own.bounds() == {"network.0.weight": (0.0, 1.0)}
    assert own.penalty(torch.tensor(1), torch.tensor(0.0)) > 0
    population = Population(own, SingleModuleTask(), seeds=range(3), evaluate_every=5)
    trainer(5).fit(population)
    weights = torch.stack([population.member(k).network[0].weight for k in range(3)])
    assert ((weights >= 0) & (weights <= 1)).all()


def test_the_contracts_mlp_is_the_same_network_as_one_of_torchs(trainer):
    ends = []
    for module in (Network(sequential), MLP(widths=[8])):
        population = Population(module, SingleModuleTask(), seeds=[0, 1], evaluate_every=5)
        population.live.state["parameters"] = torch.linspace(-1, 1, 66).view(2, 33).mT.contiguous()
        trainer(5).fit(population)
        ends.append(population.live.parameters)
    torch.testing.assert_close(*ends)


class Noisy(Part):
    def forward(self, x):
        return super().forward(x + torch.randn_like(x))


class Branching(Part):
    def forward(self, x):
        answer = super().forward(x)
        return answer if answer.sum() > 0 else -answer


class Crossing(nn.Linear):
    """Mixes the examples that it is asked together."""

    def __init__(self):
        super().__init__(2, 1)

    def forward(self, x):
        return super().forward(x - x.mean(0))


class BranchingOnInputs(Crossing):
    def forward(self, x):
        return nn.Linear.forward(self, x if x.sum() > 0 else x + 1)


class Talking(nn.Linear):
    """Writes as it goes, which no compiler takes into a graph."""

    def forward(self, x):
        print(end="")
        return super().forward(x)


class Pair(Crossing):
    def forward(self, x):
        return nn.Linear.forward(self, x), x


class Counting(Part):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen += 1
        return super().forward(x)


class Recurrent(Part):
    def __init__(self):
        super().__init__()
        self.inner = nn.GRU(1, 4, batch_first=True)

    def forward(self, x):
        return self.last(self.inner(x.unsqueeze(-1))[0][:, -1])


class Unseeded(Part):
    def __init__(self):
        super().__init__()
        with torch.no_grad():
            self.last.bias.fill_(random.random())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (nn.ReLU(), "must have parameters to train; got ReLU; add a layer"),
        (3, "must be a torch.nn.Module; got int"),
        (nn.Linear, "must need no argument; got in_features, out_features; give an object"),
        (lambda: 3, "must build a torch.nn.Module; got int"),
        (nn.LazyLinear(1), "must know its sizes; got weight, bias"),
        (nn.Linear(2, 1).requires_grad_(False), "must be trained; got weight, bias"),
        (nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1).double()), "of one type; got torch.float32, torch.float64"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)),
            "got 1, a BatchNorm1d; take torch.nn.LayerNorm",
        ),
        (nn.Sequential(nn.Dropout(0.1), nn.Linear(2, 1)), "got 0, a Dropout with a rate of 0.1; set the rate to 0"),
        (nn.TransformerEncoderLayer(2, 1), "got self_attn, a MultiheadAttention with a rate of 0.1"),
        (Raw(), "must be drawn anew for each seed; got factor, which no reset_parameters"),
        (Noisy, "Noisy must draw no random numbers; got RuntimeError at test_network.py:"),
        (Branching, "Branching must not branch on a tensor's value; got RuntimeError at test_network.py:"),
        (Counting, "Counting must not change what it holds; got network.seen"),
        (Recurrent, "Recurrent must not call torch.nn.GRU, which torch cannot map; .*GRUCell"),
        (nn.Linear(2, 3), r"the data asks Linear for \(n, 1\); got your network returns \(n, 3\)"),
        (Crossing, "Crossing must answer each example by itself; got answers that change with the examples beside"),
        (BranchingOnInputs, "BranchingOnInputs must not branch on a tensor's value; got RuntimeError at test_network"),
        (Pair, "Pair must return one tensor; got tuple"),
        (nn.Linear(3, 1), r"Linear must take the data's inputs, \(n, 2\); got RuntimeError: mat1"),
    ],
    ids=range(20),
)
def test_what_cannot_be_trained_as_one_of_many_is_refused_in_a_sentence(given, told):
    with pytest.raises(ValueError, match=told) as refused:
        Population(Network(given), SingleModuleTask(), seeds=[0, 1])
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_start_that_no_seed_decides_is_refused():
    with pytest.raises(ValueError, match="Unseeded must start the same after the same"):
        Population(Network(Unseeded), SingleModuleTask(), seeds=[0, 1])


def test_what_cannot_be_compiled_is_trained(trainer, caplog):
    own = network(nn.Linear(2, 3), Talking(3, 3), nn.Linear(3, 1))
    population = Population(own, SingleModuleTask(), seeds=[0, 1], evaluate_every=2, compile=True)
    trainer(4).fit(population)
    assert "cannot be compiled" in caplog.text
    assert population.record.interpolation_mse.isfinite().all()
