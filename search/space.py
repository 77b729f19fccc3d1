"""A search space: a YAML file of dotted configuration keys, checked against the experiment before the first trial.

base: the experiment that every trial changes, such as configs/nalu_mul.yaml
steps: optimizer steps of a trial (trainer.max_steps)
seeds: seeds that score a trial
trials: trials of the study
fixed: changes that all trials share, {dotted key: value}
space: {dotted key: {low, high, log}} or {dotted key: {choices: [...]}}; `when: {other key: [values]}` is a condition
map: axes of the picture, {x: key, y: key, panels: key}; {key: dotted key, low, high, log} in place of a key gives an
    axis a range of its own; points: [along x, along y] sets the density
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from optuna import Trial
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from arith_lightning.config import Experiment, experiment
from arith_lightning.explain import nearest

ROOT = Path(__file__).parent.parent
SPACES = Path(__file__).parent / "spaces"

Setting = dict[str, Any]
"""Values by dotted key: one point of a space."""
Distribution = FloatDistribution | IntDistribution | CategoricalDistribution


@dataclass(frozen=True)
class Parameter:
    """One dimension: an interval or a list of choices, perhaps only where other parameters have certain values."""

    key: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]

    @property
    def distribution(self) -> Distribution:
        """What Optuna samples from."""
        if self.choices:
            return CategoricalDistribution(self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def suggest(self, trial: Trial) -> Any:
        """Draw a value for a trial."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return trial.suggest_categorical(self.key, distribution.choices)
        if isinstance(distribution, IntDistribution):
            return trial.suggest_int(self.key, distribution.low, distribution.high, log=self.log)
        return trial.suggest_float(self.key, distribution.low, distribution.high, log=self.log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Return every choice, or both ends of the interval."""
        return self.choices or (self.low, self.high)

    def applies(self, setting: Setting) -> bool:
        """Tell whether the conditions on other parameters hold."""
        return all(setting.get(key) in values for key, values in self.when.items())

    def grid(self, count: int) -> list[Any]:
        """Return every choice, or `count` evenly spaced values (on the logarithm, if it is searched so)."""
        if self.choices:
            return list(self.choices)
        spaced = np.geomspace if self.log else np.linspace
        values = spaced(self.low, self.high, count).tolist()
        whole = isinstance(self.distribution, IntDistribution)
        return sorted({round(value) for value in values}) if whole else values


@dataclass(frozen=True)
class Space:
    """What a study searches; see the module's docstring."""

    name: str
    base: Path
    steps: int
    seeds: int
    trials: int
    fixed: Setting
    parameters: tuple[Parameter, ...]
    axes: Mapping[str, Parameter]
    points: tuple[int, int] = (24, 16)
    """Points of the map along x and y."""

    def suggest(self, trial: Trial) -> Setting:
        """Draw one setting, conditional parameters after those they depend on."""
        setting: Setting = {}
        for parameter in self.parameters:
            if parameter.applies(setting):
                setting[parameter.key] = parameter.suggest(trial)
        return setting

    def arguments(self, setting: Setting) -> list[str]:
        """Return the arguments that `fit` would take for a setting."""
        values = self.fixed | {"trainer.max_steps": self.steps} | setting
        return ["--config", str(self.base), *(f"--{key}={_text(value)}" for key, value in values.items())]

    def build(self, setting: Setting) -> Experiment:
        """Build the experiment of a setting; ValueError with a short message if it is refused."""
        return experiment(self.arguments(setting))

    def configuration(self, setting: Setting, seeds: list[int]) -> dict[str, Any]:
        """Return the base file with a setting and seeds written into it: a file that `fit` runs."""
        config = yaml.safe_load(self.base.read_text())
        values = self.fixed | setting | {"trainer.max_steps": self.steps, "seeds": seeds}
        for key, value in values.items():
            *parents, last = key.split(".")
            place = config
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return config

    def corners(self) -> Iterator[tuple[str, Setting]]:
        """Yield the first setting, and one for each end of each parameter, with the key that it is about."""
        first: Setting = {}
        for parameter in self.parameters:
            if parameter.applies(first):
                first[parameter.key] = parameter.ends[0]
        yield "", first
        for parameter in (*self.parameters, *self.axes.values()):
            needed = {key: values[0] for key, values in parameter.when.items()}
            for value in parameter.ends:
                yield parameter.key, self.active(first | needed | {parameter.key: value})

    def active(self, setting: Setting) -> Setting:
        """Drop the values whose conditions do not hold."""
        conditions = {parameter.key: parameter for parameter in self.parameters}
        return {k: v for k, v in setting.items() if k not in conditions or conditions[k].applies(setting)}

    def grid(self, best: Setting) -> list[Setting]:
        """Return the settings of the map, panel by panel, row by row; all else as in `best`."""
        axes = {name: self.axes[name] for name in ("panels", "y", "x") if name in self.axes}
        counts = {"x": self.points[0], "y": self.points[1], "panels": 0}
        values = [axis.grid(counts[name]) for name, axis in axes.items()]
        keys = [axis.key for axis in axes.values()]
        return [best | dict(zip(keys, point, strict=True)) for point in itertools.product(*values)]

    def identity(self) -> dict[str, Any]:
        """Return what trials of one study must share, as plain data."""
        described = [f"{p.key}: {p.distribution} {dict(p.when)}" for p in self.parameters]
        return {
            "base": self.base.name,
            "steps": self.steps,
            "seeds": self.seeds,
            "fixed": self.fixed,
            "space": described,
        }

    def validate(self) -> None:
        """Build the experiment at every end of every parameter.

        Raises:
            ValueError: some key or value is refused.
        """
        for key, setting in self.corners():
            try:
                self.build(setting)
            except ValueError as error:
                at = f"{key}={setting.get(key)}: " if key else ""
                raise ValueError(f"{self.name}: {at}{error}") from error


def load(name: str) -> Space:
    """Read a space by the name of its file in search/spaces, or by path.

    Raises:
        ValueError: there is no such file, or it breaks a rule.
    """
    path = Path(name) if name.endswith(".yaml") else SPACES / f"{name}.yaml"
    if not path.is_file():
        known = available()
        raise ValueError(f"a space must be a file; got '{name}'{nearest(name, known)}; there are {', '.join(known)}")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: {' '.join(str(error).split())}") from error
    try:
        return parse(path.stem, content)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def available() -> list[str]:
    """Return the names of all spaces."""
    return sorted(path.stem for path in SPACES.glob("*.yaml"))


def parse(name: str, content: Any) -> Space:
    """Make a space of what a file holds."""
    required, optional = ("base", "steps", "seeds", "trials", "space"), ("fixed", "map")
    if not isinstance(content, dict):
        raise ValueError(f"a space must be a mapping with {', '.join(required)}; got {content!r}")
    _known("", content, (*required, *optional))
    if missing := [key for key in required if key not in content]:
        raise ValueError(f"a space must have {', '.join(required)}; missing {', '.join(missing)}")
    for key in ("steps", "seeds", "trials"):
        if not isinstance(content[key], int) or content[key] < 1:
            raise ValueError(f"{key} must be a positive whole number; got {content[key]!r}")
    if not isinstance(content["space"], dict) or not content["space"]:
        raise ValueError(f"space must name at least one parameter; got {content['space']!r}")
    base = ROOT / content["base"]
    if not base.is_file():
        raise ValueError(f"base must be a configuration file; got {content['base']!r}")
    parameters = tuple(_parameter(key, value) for key, value in content["space"].items())
    _ordered(parameters)
    content_map = dict(content.get("map") or {})
    points = content_map.pop("points", [24, 16])
    if not isinstance(points, list) or len(points) != 2 or not all(isinstance(n, int) and n > 1 for n in points):
        raise ValueError(f"map.points must be two whole numbers above 1; got {points}")
    axes = _axes(content_map, {parameter.key: parameter for parameter in parameters})
    return Space(
        name,
        base,
        content["steps"],
        content["seeds"],
        content["trials"],
        content.get("fixed") or {},
        parameters,
        axes,
        (points[0], points[1]),
    )


def _parameter(key: str, value: Any) -> Parameter:
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be {{low, high, log}} or {{choices: [...]}}; got {value!r}")
    _known(key, value, ("low", "high", "log", "choices", "when"))
    when = {other: tuple(values) for other, values in (value.get("when") or {}).items()}
    if "choices" in value:
        choices = value["choices"]
        if not isinstance(choices, list) or not choices or {"low", "high", "log"} & value.keys():
            raise ValueError(f"{key}: choices must be a list with at least one value, and stand alone; got {value}")
        return Parameter(key, choices=tuple(choices), when=when)
    low: Any = value.get("low")
    high: Any = value.get("high")
    log = bool(value.get("log", False))
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise ValueError(f"{key}: low and high must be numbers; got {end!r} (YAML reads 1.0e-3 as one, 1e-3 not)")
    if not low < high:
        raise ValueError(f"{key}: `low < high` must hold; got low={low}, high={high}")
    if log and low <= 0:
        raise ValueError(f"{key}: a logarithmic range must be positive; got low={low}")
    return Parameter(key, low, high, log, when=when)


def _ordered(parameters: tuple[Parameter, ...]) -> None:
    seen: dict[str, Parameter] = {}
    for parameter in parameters:
        for other, values in parameter.when.items():
            if other not in seen:
                hint = nearest(other, list(seen))
                raise ValueError(f"{parameter.key}: `when` must name a parameter above it; got '{other}'{hint}")
            if not set(values) <= set(seen[other].choices):
                raise ValueError(
                    f"{parameter.key}: `when` must give values among the choices of '{other}', "
                    f"{list(seen[other].choices)}; got {list(values)}"
                )
        seen[parameter.key] = parameter


def _axes(content: dict[str, Any], parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    _known("map", content, ("x", "y", "panels"))
    if content and not {"x", "y"} <= content.keys():
        raise ValueError(f"map must have x and y; got {content}")
    axes = {}
    for name, value in content.items():
        if isinstance(value, dict):
            axes[name] = _parameter(value.get("key", ""), {k: v for k, v in value.items() if k != "key"})
        elif value in parameters:
            axes[name] = parameters[value]
        else:
            hint = nearest(str(value), list(parameters))
            raise ValueError(f"map.{name} must be a parameter of the space or have its own range; got '{value}'{hint}")
    if "panels" in axes and not axes["panels"].choices:
        raise ValueError(f"map.panels must be a parameter with choices; got '{axes['panels'].key}'")
    return axes


def _known(where: str, content: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in content:
        if key not in known:
            at = f"{where}: " if where else ""
            raise ValueError(f"{at}unknown key '{key}'{nearest(str(key), list(known))}; expected {', '.join(known)}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
