"""Remedies as data: what `panel.yaml` changes in a configuration, and where it fits."""

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from lightning import Trainer

from arith_lightning import architectures, reading
from arith_lightning.again import parameters
from arith_lightning.config import TRAINER_DEFAULTS, Experiment, experiment
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.identity import dynamics, signature

PANEL = Path(__file__).with_name("panel.yaml")
SCALED = re.compile(r"([x/+])(\d+)")
OTHER = re.compile(r"\$\{([\w.]+)\}")
FIRST = "[:1]"
KIND = "for"
PACKAGES = {"model": "arith_lightning.architectures.", "data": "arith_lightning.data."}
SIZES = ("in_features", "out_features")
"""Arguments of a network that its dataset decides."""
PLAIN = {"seed_everything": False, "settings": None, "compile": None, "drop_decided": False, "ckpt_path": None}
"""Values of a configuration's own keys that need not be written down."""

Changes = Mapping[str, Any]
Panel = dict[str, list[Changes]]


class NoSuchError(Exception):
    """A configuration has no such argument."""


def load() -> Panel:
    """Return every remedy by name, the most promising first: the ways in which it may be done."""
    content = reading.load(PANEL, "the panel of remedies")
    return {name: ways if isinstance(ways, list) else [ways] for name, ways in content.items()}


def kind(data: ArithmeticDataModule) -> str:
    """Return what a dataset's targets are: `classes`, `yes or no`, or `numbers`."""
    if data.classes:
        return "classes"
    _, y = data.evaluation_set("interpolation")
    return "yes or no" if bool(((y == 0) | (y == 1)).all()) else "numbers"


def applied(names: Sequence[str], panel: Panel, base: Experiment) -> Experiment | None:
    """Return an experiment with remedies, another class of network before what is changed of it; None if one is none.

    A way fits where the configuration has all the arguments that it changes, is not so already by the first of them,
    has targets of its kind, and is accepted, and where the members would not be the very same as before.
    """
    found, targets = base, kind(base.data)
    for name in sorted(names, key=lambda name: not any("model" in way for way in panel[name])):
        ways = (attempt(found, way) for way in panel[name] if way.get(KIND, targets) == targets)
        fitting = next((one for one in ways if one and members(one) != members(found)), None)
        if fitting is None:
            return None
        found = fitting
    return found


def attempt(base: Experiment, changes: Changes) -> Experiment | None:
    """Return an experiment with changes; None if they do not fit."""
    try:
        built = build(changed(base, changes))
        dynamics(built.module, built.data)  # which refuses a network of one's own that does not take the data
    except (NoSuchError, ValueError):
        return None
    return built


def changed(base: Experiment, changes: Changes) -> dict[str, Any]:
    """Return a configuration with changes.

    Raises:
        NoSuchError: it has not all the arguments, or is so already.
    """
    config = copy.deepcopy(base.config)
    keys = [key for key in changes if key != KIND]
    for key in keys:
        if key == "model":
            new: Any = other(base, changes[key])
            same, place, name = type(base.module).__name__ == changes[key], config, key
        else:
            place, name = found(config, key)
            new = resolved(changes[key], place[name], config)
            same = new == place[name]
        if same and key == keys[0]:
            raise NoSuchError
        place[name] = new
    return config


def found(config: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """Return the mapping that holds what a key names, and its name there.

    Raises:
        NoSuchError: there is none.
    """
    part, *rest = key.split(".")
    *parents, name = [part, "init_args", *rest] if part in ("model", "data") else [part, *rest]
    place: Any = config
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not isinstance(place, dict) or name not in place:
        raise NoSuchError
    return place, name


def resolved(value: Any, old: Any, config: dict[str, Any]) -> Any:
    """Return what a value of the panel stands for, where `old` is the present one."""
    if isinstance(value, dict):
        pairs = [(resolved(name, None, config), part) for name, part in value.items()]
        return {one: part for names, part in pairs for one in (names if isinstance(names, list) else [names])}
    if not isinstance(value, str):
        return value
    if match := OTHER.fullmatch(value):
        place, name = found(config, match[1])
        return place[name]
    if value == FIRST:
        return old and old[:1]
    match = SCALED.fullmatch(value)
    return scaled(old, match[1], int(match[2])) if match else value


def scaled(old: Any, sign: str, number: int) -> Any:
    """Return a number, or each of a list, times or divided by another, or plus it: of a list, its last n times more."""
    if old is None:
        return None
    if isinstance(old, list):
        return old + old[-1:] * number if sign == "+" else [scaled(part, sign, number) for part in old]
    if sign == "/":
        return old / number if isinstance(old, float) else max(1, old // number)
    return old * number if sign == "x" else old + number


def other(base: Experiment, name: str) -> dict[str, Any]:
    """Return another class of network, with what is not the default among what both classes inherit."""
    now, new = type(base.module), getattr(architectures, name)
    inherited = parameters(next(part for part in now.__mro__ if part in new.__mro__))
    known, given = parameters(now), base.config["model"]["init_args"]
    arguments = {
        key: argument.default
        for key, argument in parameters(new).items()
        if key not in SIZES and argument.default is not argument.empty
    }
    kept = {key: v for key, v in given.items() if key in inherited and key in arguments and v != known[key].default}
    return {"class_path": name, "init_args": arguments | kept}


def members(built: Experiment) -> tuple[Any, ...]:
    """Return all that decides about members' numbers, beside their seeds."""
    rows = [{name: value.tolist() for name, value in row.items()} for row in built.members()]
    return signature(built.module, built.data), rows, built.max_steps


def build(config: dict[str, Any]) -> Experiment:
    """Build the experiment of a configuration.

    Raises:
        ValueError: it is refused.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "remedy.yaml"
        path.write_text(written(config), encoding="utf-8")
        return experiment(["--config", str(path)])


def written(config: dict[str, Any]) -> str:
    """Return a configuration as YAML."""
    return yaml.safe_dump(config, sort_keys=False, width=120, default_flow_style=None)


def short(built: Experiment) -> dict[str, Any]:
    """Return an experiment's configuration without what is the default: a file that `fit` runs."""
    config = {key: value for key, value in built.config.items() if value != PLAIN.get(key, key)}
    usual = {name: argument.default for name, argument in parameters(Trainer).items()} | TRAINER_DEFAULTS
    config["trainer"] = {key: value for key, value in config["trainer"].items() if value != usual[key]}
    for part, own in (("model", built.module), ("data", built.data)):
        known, path = parameters(type(own)), config[part]["class_path"]
        arguments = {key: v for key, v in config[part]["init_args"].items() if v != known[key].default}
        config[part] = {"class_path": path.removeprefix(PACKAGES[part]), "init_args": arguments}
    return config
