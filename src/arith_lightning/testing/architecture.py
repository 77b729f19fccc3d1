"""What every architecture must keep, so that members of a population are what each is alone."""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, get_args

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from arith_lightning.again import parameters
from arith_lightning.architectures import ArithmeticModule
from arith_lightning.architectures.layer import load
from arith_lightning.architectures.optimizers import Optimizer
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population import Population
from arith_lightning.streams import Purpose, Stream
from arith_lightning.testing.exports import task_for
from arith_lightning.testing.training import Given, Pair, beside_and_alone, pairs, recorded_and_taken, trainer

TRAINING: Given = {
    "schedule": "cosine",
    "schedule_steps": 30,
    "penalty_weight": 0.5,
    "penalty_start": 5,
    "penalty_end": 15,
    "gradient_clip_norm": 0.7,
    "gradient_clip_value": 0.3,
    "weight_decay": 0.01,
}
FORBIDDEN = (torch.prod, Tensor.prod, torch.cumprod, Tensor.cumprod)


class ArchitectureContract:
    """Tests of one architecture; give `module`, and `data` where `example` does not say it.

    Attributes:
        others: values to try by argument, where the default does not suggest another.
        together: other arguments, by argument, without which it has no other value.
        skip: arguments that are not varied, such as sizes, which follow the data.
    """

    others: ClassVar[dict[str, list[Any]]] = {}
    together: ClassVar[dict[str, Given]] = {}
    skip: ClassVar[set[str]] = {"in_features", "out_features"}

    @pytest.fixture
    def module(self) -> Callable[..., ArithmeticModule]:
        """Return what builds the architecture from any of its arguments; its class, as a rule."""
        raise NotImplementedError

    @pytest.fixture
    def data(self, module: Callable[..., ArithmeticModule]) -> ArithmeticDataModule:
        """Return a small dataset whose inputs it takes."""
        return task_for(module())

    @pytest.fixture
    def double(self) -> Iterator[None]:
        """Work in double precision, where two ways differ by rounding alone however an optimizer magnifies it."""
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(before)

    @pytest.mark.parametrize("optimizer", get_args(Optimizer))
    def test_a_population_equals_its_members_in_a_plain_trainer(
        self, double: None, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule, optimizer: str
    ) -> None:
        """Training together and alone differ by rounding."""
        momentum = {"momentum": 0.9} if optimizer == "sgd" else {}
        built = module(learning_rate=0.01, optimizer=optimizer, **momentum, **TRAINING)
        population = Population(built, data, seeds=[0, 5], evaluate_every=25)
        trainer(25).fit(population)
        for k, seed in enumerate((0, 5)):
            single, own = copy.deepcopy(built), copy.deepcopy(data)
            load(single, single.initial(Stream(seed, Purpose.INITIALIZATION)))
            own.seed = seed
            trainer(25, limit_val_batches=0).fit(single, own)
            flat = torch.cat([parameter.detach().flatten() for parameter in single.parameters()])
            torch.testing.assert_close(population.live.parameters[:, k], flat, rtol=1e-8, atol=1e-9)

    def test_parameters_stay_in_their_bounds(
        self, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule
    ) -> None:
        """Projection holds after steps that are far too long."""
        population = Population(module(learning_rate=0.5), data, seeds=range(3), evaluate_every=10)
        trainer(10).fit(population)
        low, high = (bound.unsqueeze(-1) for bound in (population.dynamics.low, population.dynamics.high))
        values = population.live.parameters
        assert ((values >= low) & (values <= high)).all(), "a parameter has left its `bounds`"

    def test_it_takes_any_leading_shape_and_shows_its_layers(
        self, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule
    ) -> None:
        """An answer does not depend on the examples beside it."""
        built = module()
        x = torch.rand(4, 3, data.in_features) + 1
        if built.of_torch:  # whatever its parts are; an answer is still that of its own example
            rows = built(x[0])
            assert rows.shape == (3, data.out_features), "forward must map (n, in_features) to (n, out_features)"
            torch.testing.assert_close(rows[1:2], built(x[0, 1:2]))
            return
        assert built(x).shape == (4, 3, data.out_features), "forward must map (..., in_features) to (..., out_features)"
        torch.testing.assert_close(built(x)[2, 1], built(x[2, 1]))
        assert "Layer(in_features=" in repr(built), "a layer must be an ArithmeticLayer whose name ends in Layer"

    def test_it_starts_as_its_seed_says(self, module: Callable[..., ArithmeticModule]) -> None:
        """The start is a pure function of seed and hyperparameters, whatever was drawn before."""
        built = module(seed=3)
        again, drawn = dict(module(seed=3).named_parameters()), built.initial_of(3)
        for name, parameter in built.named_parameters():
            same = torch.equal(parameter, again[name]) and torch.equal(parameter, drawn[name].to(parameter))
            assert same, f"{name} must start from the stream alone; draw it from `stream` in `initial`"

    def test_members_cannot_leak_through_a_product(
        self, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule
    ) -> None:
        """No layer multiplies with a function whose backward pass looks at all members at once."""
        built, (x, y) = module().train(), data.training_batch(0)
        with Products() as products:
            built.loss(built(x), x, y, torch.tensor(0))
        assert not products.called, (
            f"a layer must not call {products.called}, whose backward lets one member change the bits of others; "
            "multiply with `reduction.product` or `reduction.multiply`"
        )

    def test_recorded_steps_are_the_steps(
        self, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule
    ) -> None:
        """Nothing that a step does depends on Python's state, or changes it."""
        recorded, taken = recorded_and_taken(module(learning_rate=0.01), data)
        assert torch.equal(recorded, taken), "a step must be a function of its tensors; keep no state between steps"

    def test_it_says_its_weights_or_that_it_has_none(self, module: Callable[..., ArithmeticModule]) -> None:
        """Tables have a sparsity error exactly of architectures that claim one."""
        built = module()
        assert built.weights() or not built.discrete, (
            "no layer returns `weights`, so there is no sparsity error; return those that act on the inputs, "
            "or set `discrete = False`"
        )
        assert built.discrete or not built.weights(), "a layer returns `weights`; leave `discrete` True"

    def test_beside_one_that_differs_in_an_argument_it_is_itself(
        self, module: Callable[..., ArithmeticModule], data: ArithmeticDataModule
    ) -> None:
        """Members share steps with nothing that takes other steps."""
        skip = self.skip | self.handed_on(type(module()))
        for name, base, other in pairs(module, self.others, self.together, skip):

            def built(given: Given) -> Pair:
                return module(**{"learning_rate": 0.01} | given), copy.deepcopy(data)

            beside, alone = beside_and_alone(lambda: built(base), lambda: built(other))  # noqa: B023
            assert torch.equal(beside, alone), f"{name} must tell {other} from {base}; keep it as an attribute"

    def handed_on(self, kind: type[ArithmeticModule]) -> set[str]:
        """Return the arguments that are not varied, since they are those of `ArithmeticModule` unchanged."""
        return set(parameters(ArithmeticModule)) - set(inspect.signature(kind).parameters)


class Products(TorchFunctionMode):
    """Notices calls of torch's own products."""

    def __init__(self) -> None:
        super().__init__()
        self.called = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Remember a product's name, and call it."""
        if func in FORBIDDEN:
            self.called = f"torch.{func.__name__}"
        return func(*args, **kwargs or {})
