"""Whatever is wrong with an input: one message, exit code 2, no traceback, no hang, and nothing written.

Inputs are made by rule: each argument of each class with values that its type cannot have, each key of a space and of a
table with each type that it is not. What a rule makes is wrong by that rule; nothing is skipped.
"""

import itertools
import sys
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from arith_lightning import fit
from arith_lightning.again import may_be_none, parameters
from arith_lightning.architectures import NMU, ArithmeticModule
from arith_lightning.benchmark import command as benchmark
from arith_lightning.data import ArithmeticDataModule, SingleModuleTask
from arith_lightning.explain import exported
from arith_lightning.population.settings import scalars
from arith_lightning.report import command as report
from arith_lightning.search import command
from arith_lightning.search.declaration import load
from arith_lightning.trainer import RULES

ROOT = Path(__file__).parents[1]
BASE = ["--config", "configs/nmu_mul.yaml"]
SMALL = ["--seeds=2", "--trainer.max_steps=2", "--evaluate_every=1", "--compile=false"]
SOON = 20
"""Seconds within which every refusal has come, on a busy machine."""
RATE = "model.init_args.learning_rate"
LINES = 2

Case = tuple[str, Callable[[], int]]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("configs", "search"):
        (tmp_path / name).symlink_to(ROOT / name)


def hold(cases: list[Case], capsys: pytest.CaptureFixture[str]) -> None:
    """Feed every case, and tell all that are not refused as they should be."""
    wrong = []
    before = sorted(Path().iterdir())
    for name, feed in cases:
        start = time.monotonic()
        try:
            code: Any = feed()
        except SystemExit as stop:
            code = stop.code
        except Exception as error:
            code = f"{type(error).__name__}: {error}"
        told = capsys.readouterr().err.strip()
        lines = [line for line in told.splitlines() if line.strip()]
        known = code == 2 and 1 <= len(lines) <= LINES and "error: " in told and "Traceback" not in told
        if not known or len(told) > 900 or time.monotonic() - start > SOON:
            wrong.append(f"{name} -> {code}, {told[-300:]!r}")
        if sorted(Path().iterdir()) != before:
            wrong.append(f"{name} has written {set(Path().iterdir()) - {*before}}")
            before = sorted(Path().iterdir())
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def fed(*arguments: str) -> Case:
    def feed() -> int:
        sys.argv[:] = ["fit", *BASE, *SMALL, *arguments]
        return fit.main()

    return " ".join(arguments), feed


def written(content: Any, run: Callable[[str], int], name: str = "wrong.yaml") -> Case:
    """A case that reads a file, which is gone afterwards."""

    def feed() -> int:
        path = Path(name)
        raw = content if isinstance(content, bytes) else yaml.safe_dump(content, sort_keys=False).encode()
        path.write_bytes(raw)
        try:
            return run(name)
        finally:
            path.unlink()

    return f"{content!r:.300}", feed


@pytest.fixture(autouse=True)
def arguments(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fit"])


# Arguments


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
    assert len(cases) > 30
    hold(cases, capsys)


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
    hold([fed(f"--{key.strip()}={value}") for key, values in TOP.items() for value in values], capsys)


def test_what_a_population_asks_of_the_trainer(capsys):
    wrong = {"precision": "bf16-true", "strategy": "ddp", "gradient_clip_algorithm": "norm", "barebones": "true"}
    cases = [fed(f"--trainer.{name}={wrong.get(name, '-7' if name == 'max_epochs' else '0')}") for name in RULES]
    cases = [case for case in cases if "overfit_batches" not in case[0]]
    cases += [fed(f"--trainer.{name}=2") for name in ("devices", "num_nodes", "overfit_batches", "gradient_clip_val")]
    monitor = "--trainer.callbacks.monitor=sucess_rate"
    cases += [fed(f"--trainer.callbacks+={name}", monitor) for name in ("EarlyStopping", "ModelCheckpoint")]
    hold(cases, capsys)


# Settings


def setting(name: str, value: str) -> Case:
    return fed(f"--settings=[{{{name}: {value}}}]")


def test_settings_of_a_wrong_value(capsys):
    cases = []
    for name in sorted(scalars(NMU())):
        cases += [setting(name, value) for value in ("true", ".nan", "-.inf")]
    for name in sorted(scalars(SingleModuleTask())):
        cases += [setting(name, value) for value in ("abc", "[1]", "[2, 1]", "[1, .inf]", "[[1, 2], [3]]")]
    assert len(cases) > 40
    hold(cases, capsys)


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


# Files of fit

GOOD = "seeds: 2\nmodel: {class_path: NMU}\ndata: {class_path: SingleModuleTask}\ntrainer: {max_steps: 4}\n"
LAUGHS = "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}' if k else 'x'] * 9)}]\n" for k in range(8))
FILES = {
    "unclosed": GOOD + "settings: [1",
    "tab": GOOD + "model:\n\tx: 1\n",
    "twice": GOOD + "seeds: 3\n",
    "deep twice": GOOD.replace("{max_steps: 4}", "{max_steps: 4, max_steps: 5}"),
    "undefined alias": GOOD + "settings: *x\n",
    "contains itself": GOOD + "settings: &x [*x]\n",
    "laughs": LAUGHS + GOOD,
    "two documents": f"{GOOD}---\n{GOOD}",
    "empty": "",
    "null": "null\n",
    "list": "- 1\n",
    "scalar": "42\n",
    "nested": "[" * 3000 + "]" * 3000,
    "object": 'seeds: !!python/object/apply:os.system ["touch written"]\n',
    "name": "seeds: !!python/name:os.system\n",
    "tag": GOOD.replace("2", "!nix 2", 1),
    "foreign": GOOD.replace("NMU", "foreign.Thing"),
    "no base": GOOD.replace("NMU", "mine.Plain"),
    "function": GOOD.replace("NMU", "mine.plain"),
    "nothing of that name": GOOD.replace("NMU", "mine.Nix"),
    "unknown key": GOOD + "nix: 1\n",
}
BYTES = (GOOD.encode() + b"# \xe9\n", GOOD.encode("utf16"), bytes(1000), bytes(range(256)))


def test_files_of_fit(capsys):
    Path("mine.py").write_text(
        "from pathlib import Path\nPath('written').touch()\nclass Plain: pass\ndef plain(): pass\n"
    )

    def run(name: str) -> int:
        sys.argv[:] = ["fit", "--config", name]
        sys.path.insert(0, "")
        try:
            return fit.main()
        finally:
            sys.path.remove("")

    hold([written(content, run) for content in [*(t.encode() for t in FILES.values()), *BYTES]], capsys)
    hold([written(GOOD.encode(), run, name) for name in ("...yaml", "n" * 240 + ".yaml")], capsys)


# Spaces

SPACE: dict[str, Any] = {
    "base": "configs/sine_parity.yaml",
    "steps": 20,
    "seeds": 2,
    "trials": 4,
    "space": {RATE: {"low": 0.01, "high": 1.0}},
}
OF_TYPES: dict[type, Any] = {int: 3, float: 0.5, str: "abc", list: ["a"], dict: {"a": 1}, bool: True, type(None): None}
TYPES: dict[str, tuple[type, ...]] = {
    "base": (),
    "steps": (int,),
    "seeds": (int,),
    "trials": (int,),
    "space": (),
    "fixed": (type(None),),
    "selection": (type(None),),
    "map": (type(None),),
    "nix": (),
}
"""Types that a key of a space may have."""
OF_A_RANGE = {
    "low": (float,),
    "high": (int, float),
    "log": (bool,),
    "when": (type(None),),
    "also": (type(None),),
    "nix": (),
}
OF_A_MAP = {"x": (), "y": (), "panels": (), "points": (), "theory": (), "nix": ()}
OWN_KEYS = ("seeds", "settings", "config", "evaluate_every", "ckpt_path", "data.init_args.seed", "nix", "", 3)


def spaces() -> Iterator[Any]:
    for key, allowed in TYPES.items():
        yield from ({**SPACE, key: value} for kind, value in OF_TYPES.items() if kind not in allowed)
        if key in SPACE:
            yield {name: value for name, value in SPACE.items() if name != key}
    for key, allowed in OF_A_RANGE.items():
        for kind, value in OF_TYPES.items():
            if kind not in allowed:
                yield {**SPACE, "space": {RATE: {**SPACE["space"][RATE], key: value}}}
    for key, allowed in OF_A_MAP.items():
        for kind, value in OF_TYPES.items():
            if kind not in allowed:
                yield {**SPACE, "map": {"x": RATE, "y": RATE, key: value}}
    for value in (3, "abc", {}, [], None, True, ["adam", "adam"], [float("nan")], ["adam", "nix"], [{"a": 1}]):
        yield {**SPACE, "space": {"model.init_args.optimizer": {"choices": value}}}
    for key in OWN_KEYS:
        yield {**SPACE, "space": {key: {"low": 1, "high": 5}}}
        yield {**SPACE, "map": {"x": RATE, "y": {"key": key, "low": 1, "high": 5}}}
    for key in (RATE, "trainer.max_steps", "seeds", "settings", "nix", 3):
        yield {**SPACE, "fixed": {key: 1}}
    for low, high in ((1, 0), (1, 1), (0, 2**40), (float("nan"), 1), (0, float("inf")), (-1, 1), (None, 1)):
        yield {**SPACE, "space": {RATE: {"low": low, "high": high}}}
    for points in ([1, 1], [2], [10**9, 10**9], [True, 3], [2.5, 3]):
        yield {**SPACE, "map": {"x": RATE, "y": RATE, "points": points}}
    for changes in ({"steps": 0}, {"trials": -1}, {"trials": 10**20}, {"seeds": 10**9}, {"base": "../../etc/passwd"}):
        yield {**SPACE, **changes}
    other = {"low": 0.0, "high": 1.0, "also": [RATE]}
    yield {**SPACE, "space": {**SPACE["space"], "model.init_args.damping": other}}
    for condition in ({"nix": [1]}, {RATE: [0.1]}, {RATE: 0.1}, {RATE: []}, ["a"], "abc"):
        yield {
            **SPACE,
            "space": {**SPACE["space"], "model.init_args.damping": {"low": 0.0, "high": 1.0, "when": condition}},
        }


def test_spaces(capsys):
    def run(name: str) -> int:
        return command.answer(lambda: load(name).validate())

    cases = [written(content, run) for content in spaces()]
    assert len(cases) > 150
    texts = (b"", b"a: [", b"- 1", b"steps: 1\nsteps: 2\n", b"\xff\xfe", b"space: !!python/name:os.system\n")
    cases += [written(text, run) for text in texts]
    names = ("nix", "parityy", "", "../../etc/passwd", "/etc/passwd.yaml", "x\ny", "configs", "n" * 400 + ".yaml")
    hold([*cases, *((name, lambda name=name: run(name)) for name in names)], capsys)


# Tables

TABLE: dict[str, Any] = {"experiment": "configs/single_module.yaml", "units": {"NMU": {"mul": {}}}}
OF_A_TABLE: dict[str, tuple[type, ...]] = {
    "experiment": (),
    "units": (),
    "operations": (),
    "model": (),
    "published": (type(None),),
    "variants": (),
    "found": (type(None),),
    "nix": (),
}
NAMES = ("../x", "/x", "a/b", "a\\b", "a|b", "<b>", "..", "", "a\nb", "N" * 300, 3, None, True)


def tables() -> Iterator[Any]:
    for key, allowed in OF_A_TABLE.items():
        yield from ({**TABLE, key: value} for kind, value in OF_TYPES.items() if kind not in allowed)
        if key in TABLE:
            yield {name: value for name, value in TABLE.items() if name != key}
    wrong = [value for kind, value in OF_TYPES.items() if kind is not type(None)]
    for value in (*wrong, None, "mul", {}):
        yield {**TABLE, "units": {"NMU": value}}
    for value in wrong:
        yield {**TABLE, "units": {"NMU": {"mul": value}}}
        yield {**TABLE, "units": {"NMU": {"mul": {"data": value}}}}
        yield {**TABLE, "units": {"NMU": {"mul": {"model": value}}}}
        yield {**TABLE, "experiment": ["configs/single_module.yaml", {"data": value}]}
        yield {**TABLE, "variants": {"a": value}}
    for name in NAMES:
        yield {**TABLE, "units": {name: {"mul": {"model": {"class_path": "NMU"}}}}}
        yield {**TABLE, "units": {"NMU": {name: {}}}}
    for name in NAMES[:5]:
        yield {**TABLE, "variants": {name: {}, "b": {}}}
    for changes in ({"learning_rate": -1}, {"nix": 1}, {"data": {"nix": 1}}, {"data": {"epsilon": 2}}):
        yield {**TABLE, "units": {"NMU": {"mul": changes}}}
    same = {"mul": {"model": {"class_path": "NMU"}}}
    yield {**TABLE, "units": {"NMU a": same, "NMU_a": same}}
    yield {**TABLE, "found": "wrong.yaml"}
    yield {**TABLE, "operations": ["nix"]}
    yield {**TABLE, "units": {}}
    yield {**TABLE, "units": {"NIX": {"mul": {}}}}


def test_tables(capsys):
    cases = [written(content, lambda name: benchmark.main(["--config", name])) for content in tables()]
    assert len(cases) > 120
    files = ("nix.yaml", "configs", "/dev/null", "configs/nmu_mul.yaml", "")
    cases += [(name, lambda name=name: benchmark.main(["--config", name])) for name in files]
    cases += [(name, lambda name=name: report.main(["table", "--config", name])) for name in files]
    hold(cases, capsys)


def test_several_hundred_inputs_are_fed():
    fast = [
        *of_arguments([NMU], "model", True),
        *of_arguments([SingleModuleTask], "data", True),
        *itertools.chain(*TOP.values()),
        *RULES,
        *(3 * sorted(scalars(NMU()))),
        *FILES,
        *spaces(),
        *tables(),
    ]
    assert len(fast) >= 400
