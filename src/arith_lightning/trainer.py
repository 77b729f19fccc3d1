"""What a population asks of Lightning's Trainer, beside what Lightning itself refuses."""

from collections.abc import Callable, Mapping
from typing import Any

from jsonargparse import Namespace
from lightning import Trainer
from lightning.pytorch.accelerators import CUDAAccelerator

from arith_lightning.complaint import nearest, require

Rule = tuple[Callable[[Any], bool], str, str]
METRICS = ("success_rate", "diverged", "interpolation_mse_median", "extrapolation_mse_median")
"""What a population logs at every evaluation, for callbacks that monitor something."""


def only(*values: Any) -> Callable[[Any], bool]:
    """Return a test for some values, which knows 1 from True."""
    return lambda value: any(type(value) is type(known) and value == known for known in values)


def computes(accelerator: Any) -> bool:
    """Return whether this machine can train on an accelerator; errors are doubles, which MPS and TPU lack."""
    return accelerator in ("auto", "cpu") or (accelerator in ("gpu", "cuda") and CUDAAccelerator.is_available())


ONE_DEVICE = "a population runs on one device; trainer."
EVALUATIONS = "an epoch of a population is one batch and one evaluation, without gradients; trainer."
NETWORKS = "Lightning does not see the networks of a population; trainer."
RULES: dict[str, Rule] = {
    "accelerator": (
        computes,
        "trainer.accelerator must be auto or cpu, or gpu where there is one with CUDA",
        "leave it out",
    ),
    "max_steps": (lambda n: n > 0, "trainer.max_steps must be positive", "try 50000"),
    "max_epochs": (
        only(None, -1),
        "runs are limited by steps; trainer.max_epochs must be -1",
        "leave it out and set trainer.max_steps",
    ),
    "devices": (
        lambda n: only(1, "1")(n) or (isinstance(n, list) and len(n) == 1),
        f"{ONE_DEVICE}devices must be 1, or a list of one",
        "leave it out; several runs at a time take several devices",
    ),
    "num_nodes": (only(1), f"{ONE_DEVICE}num_nodes must be 1", "leave it out; searches take several machines"),
    "strategy": (only("auto"), f"{ONE_DEVICE}strategy must be auto", "leave it out"),
    "sync_batchnorm": (only(False), f"{ONE_DEVICE}sync_batchnorm must be false", "leave it out"),
    "use_distributed_sampler": (only(True), f"{ONE_DEVICE}use_distributed_sampler must be true", "leave it out"),
    "precision": (
        only(None, 64, 32, "64", "32", "64-true", "32-true", "16-mixed", "bf16-mixed"),
        "trainer.precision must be one that parameters can have, 32-true, 64-true, 16-mixed or bf16-mixed",
        "try 32-true",
    ),
    "gradient_clip_val": (
        only(None),
        "gradients are clipped by member; trainer.gradient_clip_val must be left out",
        "set model.init_args.gradient_clip_norm or gradient_clip_value",
    ),
    "gradient_clip_algorithm": (
        only(None),
        "gradients are clipped by member; trainer.gradient_clip_algorithm must be left out",
        "set model.init_args.gradient_clip_norm or gradient_clip_value",
    ),
    "accumulate_grad_batches": (
        only(1),
        "every batch is a step; trainer.accumulate_grad_batches must be 1",
        "set data.init_args.batch_size",
    ),
    "overfit_batches": (only(0.0, 0), f"{EVALUATIONS}overfit_batches must be 0", "leave it out"),
    "check_val_every_n_epoch": (
        only(1),
        f"{EVALUATIONS}check_val_every_n_epoch must be 1",
        "set evaluate_every, the steps between two evaluations",
    ),
    "val_check_interval": (
        only(None, 1.0, 1),
        f"{EVALUATIONS}val_check_interval must be 1",
        "set evaluate_every, the steps between two evaluations",
    ),
    "limit_train_batches": (only(None, 1.0, 1), f"{EVALUATIONS}limit_train_batches must be 1", "set trainer.max_steps"),
    "limit_val_batches": (only(None, 1.0, 1), f"{EVALUATIONS}limit_val_batches must be 1", "leave it out"),
    "limit_test_batches": (only(None, 1.0, 1), f"{EVALUATIONS}limit_test_batches must be 1", "leave it out"),
    "limit_predict_batches": (
        only(None),
        "`fit predict RUN` answers every example; trainer.limit_predict_batches must be left out",
        "give it fewer examples",
    ),
    "num_sanity_val_steps": (only(0), f"{EVALUATIONS}num_sanity_val_steps must be 0", "try trainer.fast_dev_run true"),
    "log_every_n_steps": (
        only(1),
        "every evaluation is logged; trainer.log_every_n_steps must be 1",
        "set evaluate_every, the steps between two evaluations",
    ),
    "reload_dataloaders_every_n_epochs": (
        only(0),
        "every step draws its own examples; trainer.reload_dataloaders_every_n_epochs must be 0",
        "leave it out",
    ),
    "enable_model_summary": (
        only(False),
        f"{NETWORKS}enable_model_summary must be false",
        "leave it out; `fit --print_config` says what is trained",
    ),
    "enable_autolog_hparams": (
        only(False),
        f"{NETWORKS}enable_autolog_hparams must be false",
        "leave it out; hyperparameters are logged in any case",
    ),
    "detect_anomaly": (
        only(False),
        "a network that diverges must not end the others; trainer.detect_anomaly must be false",
        "leave it out; the answer counts what diverged",
    ),
    "inference_mode": (only(True), f"{EVALUATIONS}inference_mode must be true", "leave it out"),
    "plugins": (
        only(None),
        "precision and checkpoints of a population are its own; trainer.plugins must be left out",
        "set trainer.precision",
    ),
    "model_registry": (only(None), "runs are kept in folders; trainer.model_registry must be left out", "leave it out"),
    "barebones": (only(False), "a run leaves its files; trainer.barebones must be false", "leave it out"),
}
"""For an argument of the Trainer: what it must hold, in words, and the way out."""


def examine(arguments: Mapping[str, Any] | Namespace) -> None:
    """Refuse arguments of the Trainer that a population cannot heed.

    Raises:
        ValueError: with the rule.
    """
    named = isinstance(arguments, Mapping | Namespace)
    require(named, "trainer must be arguments of Lightning's Trainer by name", arguments, "or leave it out")
    for name, (holds, rule, way_out) in RULES.items():
        if name in arguments:
            require(holds(arguments[name]), rule, arguments[name], way_out)


def examine_callbacks(trainer: Trainer) -> None:
    """Refuse callbacks that wait for what a population does not log.

    Raises:
        ValueError: with what it logs.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        monitor = getattr(callback, "monitor", None)
        require(
            monitor is None or monitor in METRICS,
            f"{type(callback).__name__} must monitor one of {', '.join(METRICS)}",
            f"'{monitor}'{nearest(str(monitor), METRICS)}",
            "correct monitor",
        )
