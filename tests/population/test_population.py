import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning.architectures import MLP, NALU, NMU, NRU, sNMU
from arith_lightning.config import experiment
from arith_lightning.data import IntegerSeries, SingleModuleTask
from arith_lightning.population import Population

ROUNDING = {"rtol": 1e-9, "atol": 1e-12}
"""What doubles of one member may differ by in another company."""


def parameters(population):
    return population.live.parameters


@pytest.mark.parametrize("init", ["default", "he", "xavier", "orthogonal", "signs"])
def test_every_start_is_the_member_s_own(init):
    population = Population(MLP(init=init), SingleModuleTask(), seeds=[0, 4])
    for k, seed in enumerate((0, 4)):
        alone = torch.cat([p.detach().flatten() for p in MLP(init=init, seed=seed).parameters()])
        torch.testing.assert_close(parameters(population)[:, k], alone)


@pytest.mark.usefixtures("double")
def test_settings_are_separate_populations(trainer):
    ranges = {"interpolation": [10.0, 20.0], "extrapolation": [20.0, 40.0]}
    settings = [{"learning_rate": 0.1, "init_scale": 0.1}, {"learning_rate": 1e-3, **ranges}]
    together = Population(NMU(), SingleModuleTask(), seeds=[0, 1], settings=settings, evaluate_every=10)
    trainer(10).fit(together)
    first = Population(NMU(learning_rate=0.1, init_scale=0.1), SingleModuleTask(), seeds=[0, 1], evaluate_every=10)
    other = SingleModuleTask(interpolation=[10.0, 20.0], extrapolation=[20.0, 40.0])
    second = Population(NMU(learning_rate=1e-3), other, seeds=[0, 1], evaluate_every=10)
    for population, part in ((first, slice(0, 2)), (second, slice(2, 4))):
        trainer(10).fit(population)
        torch.testing.assert_close(parameters(together)[:, part], parameters(population), **ROUNDING)
        torch.testing.assert_close(together.record.error[part], population.record.error, **ROUNDING)
        assert torch.equal(together.threshold[part], population.threshold)


@pytest.mark.parametrize("setting", ["learning_rat", "optimizer"])
def test_a_setting_that_is_no_column_is_refused(setting):
    with pytest.raises(ValueError, match=f"got '{setting}'.*; expected one of .*learning_rate"):
        Population(NMU(), SingleModuleTask(), seeds=[0], settings=[{setting: 1.0}])


def test_a_setting_goes_wherever_the_argument_goes():
    settings = [{"init_scale": 0.5, "learning_rate": 0.1}, {}]
    population = Population(MLP(), SingleModuleTask(), seeds=[3], settings=settings)
    for member, module in enumerate((MLP(init_scale=0.5, learning_rate=0.1, seed=3), MLP(seed=3))):
        for name, buffer in module.named_buffers():
            assert population.all_columns.module[name][member] == buffer
        alone = torch.cat([p.detach().flatten() for p in module.parameters()])
        assert torch.equal(parameters(population)[:, member], alone)


@pytest.mark.usefixtures("double")
def test_dropping_decided_members_changes_no_other(trainer):
    module = NMU(learning_rate=0.1)
    kept, dropped = (
        Population(module, SingleModuleTask(epsilon=0.05), seeds=range(12), evaluate_every=4, drop_decided=drop)
        for drop in (False, True)
    )
    for population in (kept, dropped):
        trainer(6).fit(population)
    survivors = dropped.live.index
    assert 0 < len(survivors) < 12
    torch.testing.assert_close(parameters(dropped), parameters(kept)[:, survivors], **ROUNDING)
    assert torch.equal(dropped.record.solved_at_step, kept.record.solved_at_step)


def test_a_run_whose_members_are_all_decided_stops(trainer):
    module = NMU(learning_rate=0.1)
    population = Population(module, SingleModuleTask(epsilon=0.1), seeds=[0, 1], evaluate_every=5, drop_decided=True)
    fitted = trainer(1000)
    fitted.fit(population)
    assert fitted.global_step < 1000
    assert population.success.all()


@pytest.mark.parametrize("drop", [False, True])
def test_resuming_equals_going_through(drop, trainer, tmp_path):
    def fresh():
        module = NMU(learning_rate=0.05, schedule="cosine", schedule_steps=40)
        data = SingleModuleTask(epsilon=0.005)
        return Population(module, data, seeds=range(10), evaluate_every=8, drop_decided=drop)

    through, half, resumed = fresh(), fresh(), fresh()
    whole = trainer(40)
    whole.fit(through)
    keeping = {"enable_checkpointing": True, "callbacks": [ModelCheckpoint(tmp_path, "last", every_n_epochs=1)]}
    trainer(16, **keeping).fit(half)
    last = trainer(40, **keeping)
    last.fit(resumed, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert last.global_step == whole.global_step
    assert torch.equal(parameters(resumed), parameters(through))
    for name, value in through.record.plain().items():
        torch.testing.assert_close(getattr(resumed.record, name), value, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("module", "data", "seeds", "settings", "told"),
    [
        (NMU(), SingleModuleTask(), [0, 1, 2], [{}], r"seeds: 2: \[0, 1\], here 3: \[0, 1, 2\]"),
        (NMU(), SingleModuleTask(), [0, 1], [{}, {}], "learning_rate: .* here"),
        (NMU(learning_rate=0.5), SingleModuleTask(), [0, 1], [{}], r"learning_rate: \[0.001\], here \[0.5\]"),
        (NMU(optimizer="sgd"), SingleModuleTask(), [0, 1], [{}], "model.optimizer: 'adam', here 'sgd'"),
        (sNMU(), SingleModuleTask(), [0, 1], [{}], r"model: .*\.NMU, here .*\.sNMU"),
        (NMU(), SingleModuleTask(interpolation=[3, 4]), [0, 1], [{}], "data.interpolation: .*1.0, 2.0.* here .*3.0, 4"),
        (NMU(), SingleModuleTask(batch_size=64), [0, 1], [{}], "data.batch_size: 128, here 64"),
        (NMU().double(), SingleModuleTask(), [0, 1], [{}], "precision: torch.float32, here torch.float64"),
    ],
)
def test_a_checkpoint_of_another_population_is_refused(module, data, seeds, settings, told):
    saved = Population(NMU(), SingleModuleTask(), seeds=[0, 1]).get_extra_state()
    other = Population(module, data, seeds, settings)
    before = other.live
    with pytest.raises(ValueError, match=f"must be of the same population; got one that differs in .*{told}"):
        other.set_extra_state(saved)
    assert other.live is before


def test_a_checkpoint_with_more_steps_than_wanted_is_refused(trainer, tmp_path):
    def fresh():
        return Population(NMU(), SingleModuleTask(batch_size=8), seeds=[0], evaluate_every=5)

    keeping = {"enable_checkpointing": True, "callbacks": [ModelCheckpoint(tmp_path, "last", every_n_epochs=1)]}
    trainer(10, **keeping).fit(fresh())
    with pytest.raises(ValueError, match=r"at most trainer\.max_steps steps behind it; got 10 of 5; raise"):
        trainer(5).fit(fresh(), ckpt_path=tmp_path / "last.ckpt", weights_only=True)


@pytest.mark.parametrize(("every", "steps"), [(10, 25), (100, 7), (5, 10)])
def test_max_steps_holds(every, steps, trainer):
    population = Population(NMU(), SingleModuleTask(), seeds=[0], evaluate_every=every)
    fitted = trainer(steps)
    fitted.fit(population)
    assert fitted.global_step == steps
    reference = Population(NMU(), SingleModuleTask(), seeds=[0], evaluate_every=1)
    trainer(steps).fit(reference)
    assert torch.equal(parameters(population), parameters(reference))


def test_missing_max_steps_is_explained(trainer):
    with pytest.raises(ValueError, match="max_steps must be set"):
        trainer(-1).fit(Population(NMU(), SingleModuleTask(), seeds=[0]))


def test_double_precision(trainer):
    population = Population(NMU(learning_rate=0.01), SingleModuleTask(), seeds=[0, 1], evaluate_every=10).double()
    trainer(10).fit(population)
    assert parameters(population).dtype == torch.float64
    single = Population(NMU(learning_rate=0.01), SingleModuleTask(), seeds=[0, 1], evaluate_every=10)
    trainer(10).fit(single)
    torch.testing.assert_close(parameters(population).float(), parameters(single), rtol=1e-4, atol=1e-5)


def test_a_member_is_a_plain_module_with_the_recorded_error(trainer):
    population = Population(NALU(learning_rate=0.01), SingleModuleTask(), seeds=range(3), evaluate_every=5)
    trainer(15).fit(population)
    x, y = population.data.evaluation_set("extrapolation")
    for k in range(3):
        error = (population.member(k)(x.mT) - y.mT).square().mean().item()
        assert error == pytest.approx(population.record.extrapolation_mse[k].item(), rel=1e-4)


SIZES = ((5, 5), (7, 19), (7, 1))
"""Members and steps; as many steps as members first, which the compiler must not take for one number."""


@pytest.mark.parametrize(
    ("module", "data", "sizes"),
    [
        (NMU(), SingleModuleTask(), SIZES),
        (NALU(), IntegerSeries(), SIZES),
        (NMU(), SingleModuleTask(streams="published"), SIZES),
        (MLP(depth=2, width=9), SingleModuleTask(), ((3, 5), (7, 19))),
        (MLP(depth=2, width=9), SingleModuleTask(), ((1, 5),)),
    ],
)
def test_compiled_steps_equal_eager_ones(module, data, sizes):
    for members, steps in sizes:
        population = Population(module, data, seeds=range(members))
        compiled, eager = (
            population.dynamics.run(population.live.state, population.live.columns, 0, steps, compile)["parameters"]
            for compile in (True, False)
        )
        torch.testing.assert_close(compiled, eager, rtol=1e-5, atol=1e-6)


def test_graphs_of_one_number_of_members_are_noticed():
    module, data, ends = MLP(activation="gelu", depth=1, width=4), SingleModuleTask(), {}
    for members in (7, 5):
        population = Population(module, data, seeds=range(members))
        for compile in (True, False):
            end = population.dynamics.run(population.live.state, population.live.columns, 0, 19, compile)
            ends[members, compile] = end["parameters"]
        torch.testing.assert_close(ends[members, True], ends[members, False], rtol=1e-5, atol=1e-6)
    (graph,) = next(iter(population.dynamics.graphs.known.values()))
    assert graph.bound, "torch maps gelu over any number of members now; find another operation"
    assert torch.equal(ends[7, True][:, :5], ends[5, True])


@pytest.mark.usefixtures("double")
def test_tiles_do_not_change_members():
    population = Population(NMU(), SingleModuleTask(), seeds=range(7))
    whole = population.dynamics.run(population.live.state, population.live.columns, 0, 5, False)
    tile, population.dynamics.tile = population.dynamics.tile, 3
    tiled = population.dynamics.run(population.live.state, population.live.columns, 0, 5, False)
    population.dynamics.tile = tile
    torch.testing.assert_close(whole["parameters"], tiled["parameters"], **ROUNDING)


@pytest.mark.parametrize("kind", [sNMU, NRU])
@pytest.mark.parametrize("mode", [True, False])
def test_steps_are_taken_in_training_mode_and_answers_given_in_evaluation_mode(kind, mode):
    population = Population(kind(penalty_weight=0.0).train(mode), SingleModuleTask(batch_size=16), seeds=[0, 3])
    x, y = population.data.evaluation_set("interpolation")
    measured, answers = population.measure().interpolation_mse, population.predict(x.mT)
    step = torch.tensor(4)
    batch = population.dynamics.draw(population.live.columns, step, torch.float32)
    gradient = population.dynamics.gradient(parameters(population), population.live.columns, *batch, step)
    for k in range(2):
        member = population.member(k)
        assert not member.training
        torch.testing.assert_close(answers[k], member(x.mT))
        assert measured[k].item() == pytest.approx((member(x.mT) - y.mT).square().mean().item(), rel=1e-5)
        member.train()
        assert not torch.allclose(answers[k], member(x.mT), rtol=1e-3)
        own = [part[k].mT for part in batch]
        member.loss(member(own[0]), *own, step).backward()
        torch.testing.assert_close(gradient[:, k], member.network.weight.grad.flatten(), rtol=1e-4, atol=1e-5)


def test_a_plain_trainer_uses_the_same_modes(trainer):
    seen = {}

    class Watched(sNMU):
        def training_step(self, *arguments):
            seen["training"] = self.network.training
            return super().training_step(*arguments)

        def validation_step(self, *arguments, **more):
            seen["validation"] = self.network.training
            return super().validation_step(*arguments, **more)

    fitted = trainer(4, val_check_interval=2, check_val_every_n_epoch=None)
    data = SingleModuleTask(batch_size=4)
    fitted.fit(module := Watched().eval(), data)
    assert seen == {"training": True, "validation": False}
    for split in ("interpolation", "extrapolation"):
        x, y = data.evaluation_set(split)
        expected = (module.eval()(x.mT) - y.mT).square().mean()
        torch.testing.assert_close(fitted.callback_metrics[f"{split}_mse"], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("NMU", "mul"),
        ("NAU", "add"),
        ("sNMU", "mul"),
        ("NRU", "div"),
        ("NMRU", "div"),
        ("MCFC", "add"),
        ("MulMCFC", "mul"),
        ("LinearNAC", "mul"),
        ("RealNPU", "mul"),
        ("ModifiedRealNPU", "div"),
        ("iNALU", "sub"),
    ],
)
def test_published_settings_solve_the_single_module_task(kind, operation, trainer):
    from arith_lightning import architectures

    population = Population(getattr(architectures, kind)(), SingleModuleTask(operation), seeds=range(25))
    trainer(50_000).fit(population)
    assert population.success.sum() >= 24


def test_products_of_every_published_range_are_learnt_from_a_start_above_the_barrier(trainer):
    found = experiment(["--config", "configs/nmu_mul_found.yaml"])
    assert len(found.settings) == 9
    population = Population(found.module, found.data, range(12), found.settings, evaluate_every=400)
    trainer(400).fit(population)
    assert population.success.all()


@pytest.mark.slow
def test_graphs_of_one_process_may_differ_in_a_plain_number():
    for clip in (0.1, 1.0):
        members = Population(NMU(gradient_clip_norm=clip), SingleModuleTask(batch_size=8), seeds=range(4))
        states = [members.dynamics.run(members.live.state, members.live.columns, 0, 20, c) for c in (True, False)]
        torch.testing.assert_close(*(state["parameters"] for state in states), rtol=1e-6, atol=1e-7)
