"""What every architecture shares: how a module of layers is trained, alone or as a member of a population."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from lightning import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from arith_lightning.again import Again
from arith_lightning.architectures.layer import Drawn, load, register
from arith_lightning.architectures.optimizers import OPTIMIZERS, Optimizer
from arith_lightning.architectures.told import Told
from arith_lightning.complaint import require
from arith_lightning.streams import SEEDS, Purpose, Stream, TorchStream

WARMUP = 0.1
"""Share of a schedule in which the learning rate rises, where it does."""


class ArithmeticModule(Again, Told, LightningModule, metaclass=Drawn):
    """A network and the way it is trained: loss, penalty and its schedule, optimizer, clipping, projection.

    Trains alone in a plain `Trainer`, or as one of a population of seeds and settings, equal to rounding.

    Args:
        network: maps `(..., in_features)` to `(..., out_features)`; built of `ArithmeticLayer`s.
        learning_rate: step size of the optimizer.
        optimizer: torch's Adam, AdamW, SGD or RMSprop with torch's defaults otherwise; or `sign_sgd`, see `SignSGD`.
        momentum: of SGD; must be 0 for the other optimizers.
        smoothing: share of its mean square of gradients that RMSprop keeps at a step; torch's default of 0.99 must stay
            for the other optimizers. TensorFlow's and Flux's is 0.9, which behaves quite differently.
        weight_decay: L2 added to the gradient (decoupled with `adamw` and `sign_sgd`).
        schedule: shape of the learning rate over `schedule_steps`, down to `schedule_end` times `learning_rate`;
            `warmup` rises linearly in the first tenth and then falls as `cosine`.
        schedule_steps: steps the schedule takes; the learning rate is constant afterwards.
        schedule_end: last learning rate as a share of the first.
        gradient_clip_norm: largest Euclidean norm of a model's gradient.
        gradient_clip_value: largest magnitude of any gradient entry.
        penalty_weight: factor of the layers' summed penalties once the ramp has ended.
        penalty_start: step at which the penalty's linear ramp starts.
        penalty_end: step at which it has reached `penalty_weight`.
        seed: seed of the initial parameters, and of those of any later start.
        streams: `counter`, this project's numbers, or `published`, those with which the script of the single module
            task (Mistry, Farrahi and Hare 2022) starts the same unit for the same seed.
    """

    output_range: tuple[float, float] = (-float("inf"), float("inf"))
    """Smallest and largest value that the network can return."""
    discrete: ClassVar[bool] = True
    """Whether it has `weights`, of which tables show how far they are from -1, 0 or 1."""
    example: ClassVar[Mapping[str, Any]] = {"class_path": "SingleModuleTask", "init_args": {"batch_size": 16}}
    """A small dataset whose inputs it takes, as a configuration names it, for its tests."""
    of_torch: ClassVar[bool] = False
    """Whether its parts are torch's own, which draw from torch's own generator."""
    by_rows: bool = False
    """Whether it takes `(n, in_features)` only, all examples at once."""

    learning_rate: Tensor
    momentum: Tensor
    smoothing: Tensor
    weight_decay: Tensor
    schedule_steps: Tensor
    schedule_end: Tensor
    penalty_weight: Tensor
    penalty_start: Tensor
    penalty_end: Tensor

    def __init__(
        self,
        network: nn.Module,
        learning_rate: float = 1e-3,
        optimizer: Optimizer = "adam",
        momentum: float = 0.0,
        smoothing: float = 0.99,
        weight_decay: float = 0.0,
        schedule: Literal["constant", "linear", "cosine", "exponential", "warmup"] = "constant",
        schedule_steps: int = 1,
        schedule_end: float = 0.0,
        gradient_clip_norm: float | None = None,
        gradient_clip_value: float | None = None,
        penalty_weight: float = 0.0,
        penalty_start: int = 0,
        penalty_end: int = 0,
        seed: int = 0,
        streams: Literal["counter", "published"] = "counter",
    ) -> None:
        super().__init__()
        require(
            0 <= learning_rate < math.inf, "learning_rate must be finite and not negative", learning_rate, "try 1e-3"
        )
        require(0 <= momentum < 1, "momentum must lie in [0, 1)", momentum, "try 0.9")
        require(momentum == 0 or optimizer == "sgd", "only sgd takes a momentum", momentum, "set optimizer: sgd")
        require(0 <= smoothing < 1, "smoothing must lie in [0, 1)", smoothing, "try 0.9")
        require(
            smoothing == 0.99 or optimizer == "rmsprop",
            "only rmsprop takes a smoothing other than 0.99",
            smoothing,
            "set optimizer: rmsprop",
        )
        require(0 <= weight_decay < math.inf, "weight_decay must be finite and not negative", weight_decay, "try 0")
        require(
            0 <= penalty_weight < math.inf, "penalty_weight must be finite and not negative", penalty_weight, "try 0"
        )
        require(schedule_steps > 0, "schedule_steps must be positive", schedule_steps, "try the run's max_steps")
        require(0 <= schedule_end <= 1, "schedule_end must lie in [0, 1]", schedule_end, "try 0.01")
        require(
            schedule != "exponential" or schedule_end > 0,
            "an exponential schedule cannot end at zero; schedule_end must be positive",
            schedule_end,
            "try 0.001",
        )
        require(penalty_start >= 0, "penalty_start must not be negative", penalty_start, "try 0")
        require(
            penalty_end >= penalty_start,
            "the penalty's ramp must end after it starts; penalty_end",
            penalty_end,
            f"choose at least penalty_start={penalty_start}",
        )
        for name, clip in (("gradient_clip_norm", gradient_clip_norm), ("gradient_clip_value", gradient_clip_value)):
            require(
                clip is None or 0 < clip < math.inf, f"{name} must be positive and finite, or null", clip, "try 1.0"
            )
        require(seed in SEEDS, "seed must lie in [0, 2^31)", seed, "try 0")
        self.network = network
        self.optimizer, self.schedule, self.streams = optimizer, schedule, streams
        self.gradient_clip_norm, self.gradient_clip_value = gradient_clip_norm, gradient_clip_value
        register(
            self,
            learning_rate=learning_rate,
            momentum=momentum,
            smoothing=smoothing,
            weight_decay=weight_decay,
            schedule_steps=schedule_steps,
            schedule_end=schedule_end,
            penalty_weight=penalty_weight,
            penalty_start=penalty_start,
            penalty_end=penalty_end,
        )
        self.seed = seed

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., in_features)` to `(..., out_features)`."""
        return self.network(x)

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Return freshly drawn parameters of all layers by full name; pure, so it can be mapped over seeds."""
        return {
            f"{name}.{key}": value
            for name, layer in self.layers().items()
            for key, value in layer.initial(stream).items()
        }

    def initial_of(self, seed: Tensor | int) -> dict[str, Tensor]:
        """Return the initial parameters of a seed by full name."""
        if self.streams == "counter":
            return self.initial(Stream(seed, Purpose.INITIALIZATION))
        stream = TorchStream(int(seed))
        self.initial(stream)  # the published script draws its network twice and keeps the second
        return self.initial(stream)

    def reset_parameters(self) -> None:
        """Draw the parameters of this module's own seed, as is done once when it has been built.

        Raises:
            ValueError: a parameter is not drawn, such as one of torch's own layers, or something else is.
        """
        drawn, parameters = self.initial_of(self.seed), dict(self.named_parameters())
        wrong = sorted(drawn.keys() ^ parameters.keys())
        way_out = "put it into an ArithmeticLayer whose `initial` draws it"
        require(not wrong, "each parameter must be drawn by a layer, and nothing else", ", ".join(wrong), way_out)
        load(self, drawn)

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the interval each bounded parameter is projected into, by full name."""
        return {
            f"{name}.{key}": interval for name, layer in self.layers().items() for key, interval in layer.bounds.items()
        }

    def error(self, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean squared error; every argument has the same layout, examples along any axis."""
        return (prediction - y).square().mean()

    def loss(self, prediction: Tensor, x: Tensor, y: Tensor, step: Tensor) -> Tensor:
        """Return the scalar that is minimised at `step`: error plus penalty."""
        error = self.error(prediction, x, y)
        return error + self.penalty(step, error.detach())

    def penalty(self, step: Tensor, error: Tensor) -> Tensor:
        """Return the weighted penalty of all layers at `step`, where the batch's error is `error` (no gradient)."""
        penalty = torch.stack([layer.penalty() for layer in self.layers().values()]).sum()
        return self.penalty_schedule(step).to(penalty.dtype) * penalty

    def penalty_schedule(self, step: Tensor) -> Tensor:
        """Return the factor of the penalties at `step`: a linear ramp."""
        return self.penalty_weight * ramp(step, self.penalty_start, self.penalty_end)

    def learning_rate_factor(self, step: Tensor) -> Tensor:
        """Return the learning rate at `step` as a share of the first one."""
        t = (step / self.schedule_steps).clamp(max=1)
        if self.schedule == "linear":
            return 1 - (1 - self.schedule_end) * t
        if self.schedule == "cosine":
            return self.cosine(t)
        if self.schedule == "warmup":
            return (t / WARMUP).clamp(max=1) * self.cosine(((t - WARMUP) / (1 - WARMUP)).clamp(min=0))
        if self.schedule == "exponential":
            return self.schedule_end**t
        return torch.ones_like(t)

    def cosine(self, t: Tensor) -> Tensor:
        """Return half a cosine from 1 at t = 0 to `schedule_end` at t = 1."""
        return self.schedule_end + (1 - self.schedule_end) * (1 + torch.cos(torch.pi * t)) / 2

    def resting(self, step: Tensor) -> dict[str, Tensor]:
        """Return, by full name, whether a parameter and its optimizer state are left as they are at `step`; none here.

        Parameters that are not named are trained at every step. Not for Adam, whose bias corrections count every step.
        """
        return {}

    def after_evaluation(self, interpolation_mse: Tensor, stream: Stream) -> dict[str, Tensor]:
        """Return the parameters and buffers that an evaluation during training changes, by full name; none here.

        Args:
            interpolation_mse: mean squared error on the interpolation set.
            stream: the member's initialization stream of this step.
        """
        return {}

    # Lightning's hooks: what the population does for all members at once, for one model in a plain Trainer.

    def on_fit_start(self) -> None:
        """Train in training mode, also where a module comes from an evaluated population."""
        self.train()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch `(examples, in_features), (examples, out_features)`."""
        x, y = batch
        loss = self.loss(self(x), x, y, torch.tensor(self.global_step, device=x.device))
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        """Log the mean squared error on the interpolation (first) or extrapolation (second) set."""
        x, y = batch
        split = ("interpolation", "extrapolation")[dataloader_idx]
        # a dataset may have scaled what it trains on; errors are in the units of its targets
        answer, data = self(x), getattr(self.trainer, "datamodule", None)
        answer = answer if data is None else data.original(answer.mT).mT
        self.log(f"{split}_mse", (answer - y).square().mean(), add_dataloader_idx=False, batch_size=len(x))

    def on_validation_epoch_end(self) -> None:
        """Let a model in training react to what was measured."""
        if self.trainer.state.fn == TrainerFn.FITTING and not self.trainer.sanity_checking:
            stream = Stream(self.seed, Purpose.INITIALIZATION, self.global_step)
            load(self, self.after_evaluation(self.trainer.callback_metrics["interpolation_mse"], stream))

    def configure_optimizers(self) -> Any:
        """Return torch's own optimizer with this module's schedule, stepped at every step."""
        options: dict[str, Any] = {"lr": self.learning_rate.item(), "weight_decay": self.weight_decay.item()}
        if self.optimizer == "sgd":
            options["momentum"] = self.momentum.item()
        if self.optimizer == "rmsprop":
            options["alpha"] = self.smoothing.item()
        optimizer = OPTIMIZERS[self.optimizer](self.parameters(), **options)
        rate = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self.learning_rate_factor(torch.tensor(step)).item()
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Take resting parameters out of the step, and clip this model's gradient."""
        for name, rests in self.resting(torch.tensor(self.global_step)).items():
            if rests:
                self.get_parameter(name).grad = None
        if self.gradient_clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters(), self.gradient_clip_norm)
        if self.gradient_clip_value is not None:
            nn.utils.clip_grad_value_(self.parameters(), self.gradient_clip_value)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take the step, then project every bounded parameter into its interval."""
        super().optimizer_step(*args, **kwargs)
        with torch.no_grad():
            for name, (low, high) in self.bounds().items():
                self.get_parameter(name).clamp_(low, high)


def ramp(step: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return 0 up to step `start`, 1 from `end` on (at once where they are equal), and a straight line between them."""
    return ((step - start) / (end - start).clamp(min=1)).clamp(0, 1)
