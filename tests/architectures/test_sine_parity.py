import math

import pytest
import torch

from arith_lightning.architectures import SineParity, SineParityLayer
from arith_lightning.data import IntegerParity
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream


def at(weight, dtype=torch.float32, **options):
    layer = SineParityLayer(**options).to(dtype)
    torch.nn.init.constant_(layer.weight, weight)
    return layer


def parities(layer, x):
    return (layer(x.to(layer.weight.dtype).unsqueeze(-1)) > 0.5).squeeze(-1)


@pytest.mark.parametrize("reduce_phase", [False, True])
def test_values_by_hand(reduce_phase):
    x = torch.tensor([0.0, 1.0, 2.0, 3.0, 6.0]).unsqueeze(-1)
    expected = torch.tensor([0.0, 0.25, 0.75, 1.0, 0.0]).unsqueeze(-1)
    torch.testing.assert_close(at(math.pi / 6, reduce_phase=reduce_phase)(x), expected, atol=1e-5, rtol=0)


def test_reducing_the_phase_changes_neither_value_nor_gradient():
    x = torch.arange(50.0, dtype=torch.float64).unsqueeze(-1)
    results = []
    for reduce_phase in (False, True):
        layer = at(1.234, torch.float64, reduce_phase=reduce_phase)
        y = layer(x)
        (y * torch.linspace(-1, 1, 50, dtype=torch.float64).unsqueeze(-1)).sum().backward()
        results.append((y.detach(), layer.weight.grad))
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-9)


def test_float32_first_errs_where_the_docstring_says():
    x = torch.arange(6_551_000, 6_552_000)
    wrong = parities(at(math.pi / 2), x) != (x % 2 == 1)
    assert x[wrong].min() == 6_551_826


@pytest.mark.parametrize(("dtype", "bits"), [(torch.float32, 24), (torch.float64, 53)])
def test_a_reduced_phase_is_exact_for_every_integer_that_the_type_holds(dtype, bits):
    ends = [2**power + k for power in range(4, bits) for k in (-2, -1, 0, 1)]
    last = [2**bits - k for k in range(1, 1000)]
    random = torch.randint(0, 2**bits, (100_000,), generator=torch.Generator().manual_seed(0))
    x = torch.cat([torch.tensor(ends + last), random])
    assert torch.equal(parities(at(math.pi / 2, dtype, reduce_phase=True), x), x % 2 == 1)


@pytest.mark.parametrize("reach", [6, 58, 898])
def test_a_frequency_is_right_exactly_as_far_as_its_error_allows(reach):
    x = torch.arange(1000)
    for factor, expected in ((0.999, True), (1.001, False)):
        layer = at(math.pi / 2 - factor * math.pi / (4 * (reach - 1)), torch.float64)
        right = parities(layer, x) == (x % 2 == 1)
        assert right[:reach].all() == expected
        assert right[: reach - 1].all()


def test_waves_are_averaged_by_their_shares():
    layer = SineParityLayer(waves=2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[math.pi / 2], [math.pi / 6]]))
        layer.share.copy_(torch.tensor([math.log(3.0), 0.0]))
    torch.testing.assert_close(layer(torch.tensor([[1.0], [2.0]])), torch.tensor([[0.75 + 0.25 * 0.25], [0.1875]]))


def test_one_wave_is_one_weight():
    assert [tuple(p.shape) for p in SineParity().parameters()] == [(1, 1)]


def test_start_fills_its_range():
    weight = SineParityLayer(waves=500).initial(Stream(1, Purpose.INITIALIZATION))["weight"]
    assert 0 <= weight.min() < 0.05
    assert math.pi - 0.05 < weight.max() < math.pi


@pytest.mark.parametrize(
    ("damping", "measure", "expected"),
    [(0.0, "squared", 0.25 + 0.04), (1.0, "squared", 0.25 + 0.01), (2.0, "absolute", 0.5 + 0.2 / 16)],
)
def test_errors_by_hand(damping, measure, expected):
    module = SineParity(damping=damping, error_measure=measure)
    prediction, x, y = torch.tensor([[0.5, 0.8]]), torch.tensor([[0.0, 4.0]]), torch.tensor([[0.0, 1.0]])
    assert module.error(prediction, x, y).item() == pytest.approx(expected / 2)


def test_absolute_error_keeps_its_gradient_where_the_answer_is_rounded_to_the_target():
    prediction, y = torch.tensor([1.0, 0.0], requires_grad=True), torch.tensor([1.0, 0.0])
    SineParity(error_measure="absolute").error(prediction, torch.ones(2), y).backward()
    assert prediction.grad.tolist() == [-0.5, 0.5]


@pytest.mark.parametrize(("precision", "end"), [("32-true", 2**24), ("64-true", 2**53)])
def test_two_points_lead_to_the_last_bit(precision, end, trainer):
    module = SineParity(reduce_phase=True, error_measure="absolute", optimizer="sgd", learning_rate=1.0)
    population = Population(module, IntegerParity(2, end), seeds=range(8), evaluate_every=60)
    trainer(60, precision=precision).fit(population)
    weight = population.live.parameters
    assert population.success.all()
    assert torch.equal(weight, torch.full_like(weight, math.pi / 2))


def test_random_draws_need_several_waves_only_where_one_is_missing(trainer):
    training = {"damping": 2.0, "learning_rate": 0.1}
    schedule = {"schedule": "exponential", "schedule_steps": 150, "schedule_end": 1e-3}
    data = IntegerParity(40, 40, draws=40)
    odd = [data.draw(Stream(seed, Purpose.TRAINING), {}, "interpolation", 0)[0] for seed in range(24)]
    has_one = torch.tensor([bool((x == 1).any()) for x in odd])
    rates = []
    for waves in (1, 32):
        population = Population(
            SineParity(waves=waves, **training, **schedule), data, seeds=range(24), evaluate_every=150
        )
        trainer(150).fit(population)
        rates.append(population.success)
    assert rates[0][has_one].double().mean() > rates[0][~has_one].double().mean() + 0.2
    assert rates[1].double().mean() > rates[0].double().mean() + 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"init_low": 2.0, "init_high": 1.0}, r"init_low <= init_high; got \(2.0, 1.0\); swap them"),
        ({"init_low": math.nan}, "init_low must be finite; got nan"),
        ({"waves": 0}, "waves must be positive; got 0"),
        ({"damping": math.inf}, "damping must be finite; got inf"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SineParity(**arguments)
