import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from arith_lightning.architectures import NAU, NMU
from arith_lightning.data import SingleModuleTask


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": float("nan")}, "learning_rate must not be negative; got nan; try 1e-3"),
        ({"momentum": 1.0, "optimizer": "sgd"}, r"momentum must lie in \[0, 1\); got 1.0; try 0.9"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative; got -0.1; try 0"),
        ({"schedule_steps": 0}, "schedule_steps must be positive; got 0; try the run's max_steps"),
        ({"schedule_end": 1.5}, r"schedule_end must lie in \[0, 1\]; got 1.5; try 0.01"),
        ({"gradient_clip_value": -1.0}, "gradient_clip_value must be positive or null; got -1.0; try 1.0"),
    ],
)
def test_wrong_hyperparameters_are_refused_with_value_and_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        NMU(**arguments)


@pytest.mark.parametrize(
    ("clip", "moved"), [({"gradient_clip_norm": 0.1}, 0.1 / 2**0.5), ({"gradient_clip_value": 0.1}, 0.1)]
)
def test_a_plain_step_moves_by_the_clipped_gradient(clip, moved, trainer):
    module = NAU(optimizer="sgd", learning_rate=1.0, **clip)
    module.network.weight.data.zero_()
    # both operands stay within one part in a hundred, so the two entries of the gradient are nearly equal
    trainer(1, limit_val_batches=0).fit(module, SingleModuleTask("add", interpolation=[10.0, 10.1]))
    assert module.network.weight[0].tolist() == pytest.approx([moved, moved], rel=0.01)


def test_a_plain_step_projects(trainer):
    module = NAU(optimizer="sgd", learning_rate=1.0)
    trainer(1, limit_val_batches=0).fit(module, SingleModuleTask("add", interpolation=[10.0, 20.0]))
    assert module.network.weight[0].tolist() == [1.0, 1.0]


def test_plain_validation_logs_both_errors(trainer):
    fitted, data = trainer(1), SingleModuleTask("add")
    module = NAU()
    module.network.weight.data.fill_(0.75)
    metrics = fitted.validate(module, data, verbose=False)
    logged = {name: value for row in metrics for name, value in row.items()}
    for split in ("interpolation", "extrapolation"):
        x, y = data.evaluation_set(split)
        assert logged[f"{split}_mse"] == pytest.approx((0.25 * y).square().mean().item(), rel=1e-5)


def test_a_plain_run_resumes_to_the_same_weights(trainer, tmp_path):
    def fresh():
        return NMU(learning_rate=0.01, schedule="linear", schedule_steps=40), SingleModuleTask(seed=3)

    whole, data = fresh()
    trainer(30, limit_val_batches=0).fit(whole, data)
    checkpoint = ModelCheckpoint(tmp_path, "half", every_n_train_steps=15)
    half, data = fresh()
    trainer(15, limit_val_batches=0, enable_checkpointing=True, callbacks=[checkpoint]).fit(half, data)
    resumed, data = fresh()
    trainer(30, limit_val_batches=0).fit(resumed, data, ckpt_path=tmp_path / "half.ckpt", weights_only=False)
    assert not torch.equal(half.network.weight, whole.network.weight)
    assert torch.equal(resumed.network.weight, whole.network.weight)
