"""A population: every seed of every setting, trained as one by Lightning's Trainer.

An epoch is the stretch of steps between two evaluations. Members that are solved or have diverged can be dropped; the
others are compacted and do not notice.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torch.func import vmap

from arith_lightning.architectures import ArithmeticModule
from arith_lightning.architectures.layer import load
from arith_lightning.complaint import require
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.data.base import Split
from arith_lightning.evaluation.record import Measured, Record
from arith_lightning.population import limits, provenance
from arith_lightning.population.asking import prepared
from arith_lightning.population.compilation import INSTALL, compiler, worthwhile
from arith_lightning.population.identity import dynamics, signature
from arith_lightning.population.measurement import Measurement
from arith_lightning.population.members import Columns, Members
from arith_lightning.population.recalled import Recalled
from arith_lightning.population.settings import check, columns
from arith_lightning.population.team import Team
from arith_lightning.private import count_steps


class Population(Recalled, LightningModule):
    """Members of equal structure that differ in seed and in scalar settings, trained together.

    Member `k` has seed `seeds[k % len(seeds)]` and setting `settings[k // len(seeds)]`.

    Args:
        module: the architecture; its hyperparameters hold for every member that a setting does not change.
        data: the dataset, likewise.
        seeds: seeds trained of each setting.
        settings: for each setting, values by name of the module's or the data's arguments that a buffer or a column is
            named after.
        evaluate_every: steps between two evaluations.
        compile: whether to compile the steps; None decides by what they would cost.
        drop_decided: whether solved and diverged members leave the population at once.
        workers: processes that share the members of compiled steps; their number changes no bit.
    """

    def __init__(
        self,
        module: ArithmeticModule,
        data: ArithmeticDataModule,
        seeds: Sequence[int] = range(64),
        settings: Sequence[Mapping[str, Any]] = ({},),
        evaluate_every: int = 1000,
        compile: bool | None = None,
        drop_decided: bool = False,
        workers: int = 1,
    ) -> None:
        super().__init__()
        require(workers >= 1, "workers must be positive", workers, "try 1")
        require(len(settings) > 0, "a population needs a setting", settings, "try [{}]")
        require(evaluate_every >= 1, "evaluate_every must be positive", evaluate_every, "try 1000")
        limits.examine(module, data, seeds, len(settings))
        self.automatic_optimization = False
        # in a tuple, so that its parameters and mode are not taken for the population's own
        self._held = (copy.deepcopy(module).eval(),)
        self.data, self.seeds, self.settings = data, list(seeds), [dict(setting) for setting in settings]
        self.evaluate_every, self.compiled, self.drop_decided = evaluate_every, compile, drop_decided
        self.all_columns = columns = self._columns()
        self.dynamics = dynamics(self.module, data)
        """The steps of this population; shared with every other population of the same structure."""
        self.team = Team(self.dynamics, workers)
        self.measurement = Measurement(self.module, data, self.dynamics)
        dtype = next(module.parameters()).dtype
        state = {name: value.to(dtype) for name, value in self.dynamics.initial(columns).items()}
        count = len(columns.seed)
        firsts = range(0, count, len(self.seeds))
        thresholds = [data.threshold({name: column[k] for name, column in columns.data.items()}) for k in firsts]
        self._threshold = torch.stack(thresholds).repeat_interleave(len(self.seeds))
        self.live = Members(torch.arange(count), columns, state)
        self.record = Record.blank(state["parameters"])

    def __len__(self) -> int:
        return len(self.seeds) * len(self.settings)

    @property
    def module(self) -> ArithmeticModule:
        """The architecture, in evaluation mode; its values are those of no member."""
        return self._held[0]

    def _columns(self) -> Columns:
        seed = torch.tensor(self.seeds, dtype=torch.int32).repeat(len(self.settings))
        check(self.settings, self.module, self.data)
        module, data = (columns(part, self.settings, len(self.seeds)) for part in (self.module, self.data))
        return Columns(seed, module, data)

    @property
    def threshold(self) -> Tensor:
        """Error below which each member is solved, `(members,)`."""
        return self._threshold.to(self.record.error)

    @property
    def success(self) -> Tensor:
        """Which members count as a success, `(members,)`."""
        return self.record.success(self.threshold)

    def member(self, index: int) -> ArithmeticModule:
        """Return a member at its judged step as a plain module in evaluation mode."""
        module = copy.deepcopy(self.module)
        values = self.dynamics.unflatten(self.record.parameters[:, index].cpu())
        module.to(next(iter(values.values())).dtype)
        load(module, values)
        for name, column in self.all_columns.module.items():
            module.get_buffer(name).copy_(column[index])
        return module

    def examples(self, index: int, split: Split) -> tuple[Tensor, Tensor]:
        """Return a member's evaluation set on the CPU: inputs `(in_features, n)`, targets `(out_features, n)`."""
        columns = {name: column[index].cpu() for name, column in self.all_columns.data.items()}
        return self.data.evaluation_set(split, columns, self.record.parameters.cpu())

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """Return every member's answers at its judged step: `(n, inputs)` to `(members, n, outputs)`.

        Inputs and answers are in the units of the dataset, which prepares the ones and scales the others back.

        Raises:
            ValueError: an example has not as many inputs as the dataset, or one that it cannot show to a network.
        """
        x = prepared(self.data, x.to(self.record.parameters))

        def member(flat: Tensor, buffers: dict[str, Tensor]) -> Tensor:
            return self.measurement.forward.at(self.dynamics.unflatten(flat) | buffers, x)

        answers = vmap(member, in_dims=(-1, 0), chunk_size=16)
        return self.data.original(answers(self.record.parameters, self.all_columns.module).mT).mT

    # Training

    def train_dataloader(self) -> Iterable[int]:
        """Return the one chunk of an epoch; examples are drawn inside the step."""
        return [0]

    def configure_optimizers(self) -> None:
        """Leave optimization to the population's own steps."""

    def on_fit_start(self) -> None:
        """Decide whether to compile; one thread, because steps are short and other populations want the other cores."""
        torch.set_num_threads(1)
        if self.trainer.max_steps < 0:
            raise ValueError(
                f"trainer.max_steps must be set; got {self.trainer.max_steps}; try --trainer.max_steps 50000"
            )
        able = not self.compiled or self.device.type != "cpu" or compiler() is not None
        require(able, "steps can be compiled only where there is a C++ compiler", "compile: true", INSTALL)
        if self.compiled is None:
            written = self.dynamics.bytes_per_member * len(self)
            self.compiled = worthwhile(self.trainer.max_steps, self.device, written)

    def training_step(self, batch: int, batch_idx: int) -> None:
        """Take the steps up to the next evaluation, and count them as Lightning's global steps."""
        if not len(self.live):
            self.trainer.should_stop = True
            return
        step = self.global_step
        count = min(self.evaluate_every - step % self.evaluate_every, self.trainer.max_steps - step)
        if count > 0:
            live = self.live
            live.state, self.compiled = self.team.attempt(live.state, live.columns, step, count, bool(self.compiled))
            count_steps(self.trainer, count)

    # Evaluation

    def val_dataloader(self) -> Iterable[int]:
        """Return one evaluation; its examples are drawn inside the step."""
        return [0]

    def test_dataloader(self) -> Iterable[int]:
        """Return one evaluation."""
        return [0]

    def on_fit_end(self) -> None:
        """Let the other processes go."""
        self.team.dismiss()

    def validation_step(self, batch: int, batch_idx: int) -> None:
        """Evaluate every live member, update the record, and offer rates and medians to callbacks."""
        if self.trainer.state.fn == TrainerFn.FITTING and len(self.live):
            self.evaluate(self.global_step)
        known = self.record.interpolation_mse.isfinite()
        metrics = {"success_rate": self.success.double().mean(), "diverged": self.record.diverged.double().mean()}
        for name in ("interpolation_mse", "extrapolation_mse"):
            values = getattr(self.record, name)[known]
            metrics[f"{name}_median"] = values.median() if len(values) else torch.tensor(torch.inf)
        self.log_dict(metrics, batch_size=1, logger=False)  # the dashboard writes them at their step

    def test_step(self, batch: int, batch_idx: int) -> None:
        """Leave the record as the checkpoint holds it."""

    @torch.no_grad()
    def evaluate(self, step: int) -> Measured:
        """Measure live members at `step`, update the record, let members react to it, drop decided ones.

        Returns:
            What was measured of live members.
        """
        live, measured = self.live, self.measure()
        threshold = self.threshold[live.index]
        updated = self.record.select(live.index).updated(
            measured, live.parameters, threshold, step, self.data.judged_step
        )
        self.record.put(live.index, updated)
        parameters, module = self.dynamics.react(live.parameters, live.columns, measured.interpolation_mse, step)
        columns = live.columns._replace(module=module)
        self.live = Members(live.index, columns, live.state | {"parameters": parameters})
        if self.drop_decided:
            self.keep(~(updated.success(threshold) | updated.diverged))
        return measured

    def measure(self) -> Measured:
        """Return the errors on both fixed sets and the sparsity error of every live member."""
        return self.measurement(self.live.parameters, self.live.columns)

    def keep(self, mask: Tensor) -> None:
        """Go on with the live members in `mask` only; what is known of the others stays in the record."""
        if not mask.all():
            self.live = self.live.select(mask)

    # State: plain tensors in trees, saved whole, because the number of live members changes

    def get_extra_state(self) -> dict[str, Any]:
        """Return everything a checkpoint needs to go on exactly, and to know what it is of."""
        return {
            "live": self.live.plain(),
            "record": self.record.plain(),
            "of": self.described(),
            "step": self.global_step,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint of the same architecture, data, settings and seeds.

        Raises:
            ValueError: it is of something else, or has more steps behind it than are wanted.
        """
        self.check(state, self.precision)
        if self._trainer is not None and self.trainer.state.fn == TrainerFn.FITTING:
            require(
                state["step"] <= self.trainer.max_steps,
                "a checkpoint must have at most trainer.max_steps steps behind it",
                f"{state['step']} of {self.trainer.max_steps}",
                "raise trainer.max_steps, or look at the checkpoint with `test`",
            )
        self.live, self.record = Members.of(state["live"]), Record(**state["record"])

    def check(self, state: dict[str, Any], precision: torch.dtype) -> None:
        """Refuse, by a ValueError that says what differs, what another population has saved of itself."""
        provenance.refuse(self.described() | {"precision": str(precision)}, state["of"])

    def described(self) -> dict[str, str]:
        """Return, by name and as text, what decides about the members' numbers."""
        columns = {**self.all_columns.module, **{f"data.{key}": c for key, c in self.all_columns.data.items()}}
        first = slice(None, None, len(self.seeds))
        return provenance.described(
            {
                **signature(self.module, self.data),
                **{name: column[first].tolist() for name, column in columns.items()},
                "seeds": f"{len(self.seeds)}: {self.seeds}",
                "precision": self.precision,
            }
        )

    @property
    def precision(self) -> torch.dtype:
        """The type of the members' numbers, also before the trainer has converted them to its own."""
        mine = self.record.parameters.dtype
        return mine if self._trainer is None else provenance.trained_in(self.trainer.precision, mine)

    def _apply(self, fn: Any, recurse: bool = True) -> "Population":
        """Move every tensor of the state along with the module."""
        super()._apply(fn, recurse)
        self.live = self.live.apply(fn)
        moved = self.record.apply(fn)
        self.record = self.record.apply(lambda value: fn(value).to(value.dtype))  # errors stay doubles
        self.record.parameters = moved.parameters
        return self
