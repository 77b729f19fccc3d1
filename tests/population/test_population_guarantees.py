import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning.architectures import MLP, NALU, NAU, NMU
from arith_lightning.data import IntegerSeries, SingleModuleTask
from arith_lightning.population import Population


def parameters(population):
    return population.live["state"]["parameters"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": []}, r"needs a seed and a setting; got seeds=\[\]"),
        ({"settings": []}, r"needs a seed and a setting; got .*settings=\[\]; try"),
        ({"evaluate_every": 0}, "evaluate_every must be positive; got 0; try 1000"),
    ],
)
def test_empty_populations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Population(NMU(), SingleModuleTask(), **arguments)


@pytest.mark.parametrize(
    ("module", "settings", "built"),
    [
        (MLP(depth=1, width=4), {"init_scale": 0.5}, None),
        (NALU(), {"gate_scale": 0.5, "learning_rate": 0.1}, NALU(gate_scale=0.5, learning_rate=0.1)),
        (
            NMU(optimizer="sgd"),
            {"momentum": 0.9, "weight_decay": 0.1},
            NMU(optimizer="sgd", momentum=0.9, weight_decay=0.1),
        ),
        (
            NAU(schedule="linear", schedule_steps=8),
            {"schedule_steps": 4, "schedule_end": 0.5},
            NAU(schedule="linear", schedule_steps=4, schedule_end=0.5),
        ),
        (NAU(), {"penalty_weight": 1.0, "penalty_end": 5}, NAU(penalty_weight=1.0, penalty_end=5)),
    ],
)
def test_a_setting_is_the_module_built_with_it(module, settings, built, trainer):
    data = SingleModuleTask("add", batch_size=16)
    if built is None:
        with pytest.raises(ValueError, match="a setting must name a scalar .* got 'init_scale'"):
            Population(module, data, seeds=[0], settings=[settings])
        return
    together = Population(module, data, seeds=[3, 4], settings=[{}, settings], evaluate_every=8)
    alone = Population(built, data, seeds=[3, 4], evaluate_every=8)
    for population in (together, alone):
        trainer(8).fit(population)
    assert torch.equal(parameters(together)[:, 2:], parameters(alone))
    assert not torch.equal(parameters(together)[:, :2], parameters(alone))
    for name, value in together.member(3).named_buffers():
        assert value == dict(built.named_buffers())[name]


def test_dropped_members_stay_dropped_through_a_resume(trainer, tmp_path):
    def fresh():
        module = NMU(learning_rate=0.1, penalty_weight=0.1, penalty_end=20)
        return Population(module, SingleModuleTask(epsilon=0.05), range(12), evaluate_every=3, drop_decided=True)

    through, half, resumed = fresh(), fresh(), fresh()
    checkpoint = ModelCheckpoint(tmp_path, "last", every_n_epochs=1)
    trainer(6, enable_checkpointing=True, callbacks=[checkpoint]).fit(half)
    assert 0 < len(half.live["members"]) < 12
    trainer(12).fit(through)
    last = trainer(12)
    last.fit(resumed, ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert torch.equal(resumed.live["members"], through.live["members"])
    assert torch.equal(parameters(resumed), parameters(through))
    for name, value in through.record.items():
        torch.testing.assert_close(resumed.record[name], value, rtol=0, atol=0, equal_nan=True)


def test_dropping_frees_members_that_diverged(trainer):
    module = MLP(depth=1, width=4, optimizer="sgd")
    settings = [{"learning_rate": 1e-4}, {"learning_rate": 1e38}]
    population = Population(module, SingleModuleTask(), [0, 1], settings, evaluate_every=10, drop_decided=True)
    trainer(20).fit(population)
    assert population.live["members"].tolist() == [0, 1]
    assert population.record["diverged"].tolist() == [False, False, True, True]


def test_a_learning_rate_without_sense_fails_alone(trainer):
    """Projection holds an exploding NMU at its bounds: no NaN, and on a sum no success either."""
    settings = [{"learning_rate": 0.01}, {"learning_rate": 1e30}]
    data = SingleModuleTask("add")
    together = Population(NMU(), data, seeds=[0, 1], settings=settings, evaluate_every=10)
    alone = Population(NMU(learning_rate=0.01), data, seeds=[0, 1], evaluate_every=10)
    for population in (together, alone):
        trainer(20).fit(population)
    assert torch.equal(parameters(together)[:, :2], parameters(alone))
    assert not together.success[2:].any()
    assert not together.record["diverged"].any()


@pytest.mark.parametrize(("every", "steps"), [(7, 20), (20, 20), (1, 3), (50, 20)])
def test_every_step_is_taken_once_however_it_is_cut(every, steps, trainer):
    one = Population(NALU(learning_rate=0.1), SingleModuleTask(), seeds=[1, 2], evaluate_every=every)
    other = Population(NALU(learning_rate=0.1), SingleModuleTask(), seeds=[1, 2], evaluate_every=steps)
    fitted = trainer(steps)
    fitted.fit(one)
    trainer(steps).fit(other)
    assert fitted.global_step == steps
    assert torch.equal(parameters(one), parameters(other))


def test_the_judged_member_is_that_of_its_best_step(trainer):
    population = Population(NAU(learning_rate=0.5), SingleModuleTask("sub"), seeds=range(4), evaluate_every=1)
    history = []
    population.on_validation_end = lambda: history.append(
        (population.record["latest_interpolation_mse"].clone(), parameters(population).clone())
    )
    trainer(12).fit(population)
    assert len(history) == 12
    errors = torch.stack([error for error, _ in history])
    for k in range(4):
        step = int(errors[:, k].argmin())
        assert population.record["best_step"][k] == step + 1
        assert torch.equal(population.record["parameters"][:, k], history[step][1][:, k])


def test_fixed_data_is_the_same_for_every_seed(trainer):
    population = Population(NALU(), IntegerSeries("add"), seeds=[0, 1], evaluate_every=2)
    load = parameters(population)
    load[:, 1] = load[:, 0]
    trainer(4).fit(population)
    assert torch.equal(parameters(population)[:, 0], parameters(population)[:, 1])
