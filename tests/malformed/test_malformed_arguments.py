import typing
from collections.abc import Iterator
from typing import Any

import pytest
from feeding import Case, fed, hold

from arith_lightning.again import may_be_none, parameters
from arith_lightning.architectures import NMU, ArithmeticModule
from arith_lightning.data import ArithmeticDataModule, SingleModuleTask
from arith_lightning.explain import exported
from arith_lightning.population.settings import scalars


def impossible(argument: Any) -> list[str]:
    """Return values that an argument's type cannot have, as YAML."""
    kinds = {argument.annotation, *typing.get_args(argument.annotation)} - {type(None)}
    literal = typing.get_origin(argument.annotation) is typing.Literal
    if argument.annotation is bool:
        return ["abc", "[1, 2]", "{}", "1.5", "null"]
    if argument.annotation is str or str in kinds:
        return []
    if literal:
        return ["abc", "[1, 2]", "{}", "1.5", "null"]
    if kinds <= {int, float}:
        wrong = ["abc", "[1, 2]", "{}", "true", ".nan", *([] if float in kinds else ["1.5"])]
        return wrong + ([] if may_be_none(argument) else ["null"])
    if all(typing.get_origin(kind) is list for kind in kinds):
        return ["abc", "1.5", "{}", "[abc]"]
    return []


def of_arguments(kinds: list[type], part: str, own: bool) -> Iterator[Case]:
    for kind in kinds:
        shared = set() if own else set(parameters(ArithmeticModule if part == "model" else ArithmeticDataModule))
        for name, argument in parameters(kind).items():
            if argument.default is argument.empty or name in ("in_features", "out_features") or name in shared:
                continue
            wrong = impossible(argument)
            for value in wrong[:: max(1, len(wrong) - 1)] if own else wrong:
                yield fed(f"--{part}={kind.__name__}", f"--{part}.init_args.{name}={value}")


def test_arguments_of_a_wrong_type(capsys):
    cases = [*of_arguments([NMU], "model", True), *of_arguments([SingleModuleTask], "data", True)]
    hold(cases, capsys, 35)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["model", "data"])
def test_arguments_of_a_wrong_type_of_every_class(part, capsys):
    base = ArithmeticModule if part == "model" else ArithmeticDataModule
    hold([*of_arguments(exported(base), part, False)], capsys)


TOP = {
    "seeds": ["abc", "1.5", "[]", "[[1]]", "null", "0", "-1", "[-1]", "[0, 0]", "2147483649"],
    "seeds ": ["[2147483648]", "1000000000"],
    "evaluate_every": ["abc", "1.5", "null", "0", "-1"],
    "compile": ["maybe", "[]"],
    "drop_decided": ["maybe", "null"],
    "settings": ["abc", "{}", "[]", "[1]", "[[]]", "[null]", "[{nix: 1}]", "[{seed: 1}]", "[{optimizer: sgd}]"],
    "ckpt_path": ["nix", "configs", "configs/nmu_mul.yaml"],
    "model": ["nix", "[]", "1", "SingleModuleTask", "os.system", "torch.nn.Linear", "ArithmeticModule"],
    "data.class_path": ["nix", "NMU", "os.system", "subprocess.Popen", "ArithmeticDataModule", "no.such.Module"],
    "trainer.accelerator": ["nix", "tpu"],
    "trainer.profiler": ["nix"],
    "trainer.logger": ["nix"],
    "trainer.max_time": ["nix"],
    "trainer.callbacks": ["nix", "[{class_path: os.system}]", "[{class_path: lightning.pytorch.callbacks.Nix}]"],
    "config": ["nix.yaml", "configs", "", "/dev/null"],
    "seed": ["1"],
    "weights_only": ["true"],
    "model.init_args.lr": ["1"],
    "data.init_args.numbers": ["[1, 2]"],
    "trainer.nix": ["1"],
}  # fmt: skip


def test_other_arguments(capsys):
    hold([fed(f"--{key.strip()}={value}") for key, values in TOP.items() for value in values], capsys, 60)


def test_callbacks_that_wait_for_what_is_not_logged(capsys):
    monitor = "--trainer.callbacks.monitor=sucess_rate"
    hold([fed(f"--trainer.callbacks+={name}", monitor) for name in ("EarlyStopping", "ModelCheckpoint")], capsys, 2)


# Settings


def setting(name: str, value: str) -> Case:
    return fed(f"--settings=[{{{name}: {value}}}]")


def test_settings_of_a_wrong_value(capsys):
    cases = []
    for name in sorted(scalars(NMU())):
        cases += [setting(name, value) for value in ("true", ".nan", "-.inf")]
    for name in sorted(scalars(SingleModuleTask())):
        cases += [setting(name, value) for value in ("abc", "[1]", "[2, 1]", "[1, .inf]", "[[1, 2], [3]]")]
    hold(cases, capsys, 40)


REFUSED = {
    "learning_rate": -1,
    "momentum": 0.5,
    "weight_decay": -3,
    "penalty_weight": -10,
    "penalty_end": 1,
    "init_scale": -1,
    "schedule_steps": 0,
    "schedule_end": -1,
    "smoothing": 0.5,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_setting_is_refused_as_the_argument_is(name, capsys):
    told = []
    for case in (setting(name, str(REFUSED[name])), fed(f"--model.init_args.{name}={REFUSED[name]}")):
        assert case[1]() == 2
        told.append(capsys.readouterr().err)
    assert told[0] == told[1]
