"""A search space: which keys of a configuration may vary, and how a point of it becomes an experiment.

`declaration` reads one from a file.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from optuna import Trial
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from arith_lightning import reading, seeds
from arith_lightning.config import Experiment, experiment

TOLD = 3
"""Differences that a message names."""
CLASS = "model.class_path"
"""The key whose value decides which other keys of the model exist."""

Setting = dict[str, Any]
"""Values by dotted key: one point of a space."""
Distribution = FloatDistribution | IntDistribution | CategoricalDistribution


@dataclass(frozen=True)
class Parameter:
    """One dimension: an interval or a list of choices, perhaps only where other parameters have certain values.

    Attributes:
        key: dotted key that gets the value.
        low: lower end.
        high: upper end.
        log: whether the logarithm is what varies evenly.
        choices: what may be chosen, instead of an interval.
        when: values that other parameters must have for this one to exist.
        also: keys that get the same value.
        until: key of an upper end; every cell of a map is then an interval from `key` to `until`.
    """

    key: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    until: str = ""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]

    @property
    def distribution(self) -> Distribution:
        """What Optuna samples from."""
        if self.choices:
            return CategoricalDistribution(tuple(map(encoded, self.choices)))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def suggest(self, trial: Trial) -> Any:
        """Draw a value for a trial."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return self.meant(trial.suggest_categorical(self.key, distribution.choices))
        if isinstance(distribution, IntDistribution):
            return trial.suggest_int(self.key, distribution.low, distribution.high, log=self.log)
        return trial.suggest_float(self.key, distribution.low, distribution.high, log=self.log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Return every choice, or both ends of the interval."""
        return self.choices or (self.low, self.high)

    def meant(self, value: Any) -> Any:
        """Return the value that a trial's parameter stands for."""
        return next((choice for choice in self.choices if encoded(choice) == value), value)

    def at(self, value: Any) -> Setting:
        """Return what the configuration gets for a value."""
        return dict.fromkeys((self.key, *self.also), value)

    def applies(self, setting: Setting) -> bool:
        """Tell whether the conditions on other parameters hold."""
        return all(setting.get(key) in values for key, values in self.when.items())

    def given(self, settled: Setting) -> "Parameter | None":
        """Return the parameter where others have been settled; None if it does not exist there."""
        if any(settled[key] not in values for key, values in self.when.items() if key in settled):
            return None
        return replace(self, when={key: values for key, values in self.when.items() if key not in settled})

    def grid(self, count: int) -> list[Any]:
        """Return every choice, or `count` evenly spaced values (on the logarithm, if it is searched so)."""
        if self.choices:
            return list(self.choices)
        values = self.spaced(count)
        whole = isinstance(self.distribution, IntDistribution)
        return sorted({round(value) for value in values}) if whole else values

    def cells(self, count: int) -> list[tuple[Any, Setting]]:
        """Return the middle of each cell of a map, and what the configuration gets there."""
        if not self.until:
            return [(value, self.at(value)) for value in self.grid(count)]
        edges = self.spaced(count + 1)
        return [((a + b) / 2, self.at(a) | {self.until: b}) for a, b in itertools.pairwise(edges)]

    def spaced(self, count: int) -> list[float]:
        """Return evenly spaced numbers from one end to the other."""
        spaced = np.geomspace if self.log else np.linspace
        return spaced(self.low, self.high, count).tolist()


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
    selection: Setting = field(default_factory=dict)
    """What trials change in addition, and reported results do not: examples that are theirs alone."""
    theory: str = ""
    """Function of `theory` that draws what is known into the map."""
    asked: tuple[str, ...] = ()
    """Keys of parameters each of whose values is answered for: by a study of its own over all other parameters."""

    def parts(self) -> "list[Space]":
        """Return a space for each combination of the values that are asked about; itself where there are none."""
        asked = [parameter for parameter in self.parameters if parameter.key in self.asked]
        points = itertools.product(*(parameter.choices for parameter in asked))
        return [self.part(list(zip(asked, values, strict=True))) for values in points] if asked else [self]

    def part(self, settled: "list[tuple[Parameter, Any]]") -> "Space":
        """Return the space of what is left to choose where some parameters have these values."""
        at: Setting = {key: v for parameter, value in settled for key, v in parameter.at(value).items()}
        label = ",".join(f"{parameter.name}={value}" for parameter, value in settled)
        left = (parameter.given(at) for parameter in self.parameters if parameter.key not in at)
        free = tuple(parameter for parameter in left if parameter)
        name = f"{self.name}/{label}"
        return replace(self, name=name, fixed=self.fixed | at, parameters=free, axes={}, theory="", asked=())

    def suggest(self, trial: Trial) -> Setting:
        """Draw one setting, conditional parameters after those they depend on."""
        setting: Setting = {}
        for parameter in self.parameters:
            if parameter.applies(setting):
                setting |= parameter.at(parameter.suggest(trial))
        return setting

    def settings(self, params: Mapping[str, Any]) -> Setting:
        """Return the setting that a trial's parameters stand for."""
        found: Setting = {}
        for parameter in self.parameters:
            if parameter.key in params:
                found |= parameter.at(parameter.meant(params[parameter.key]))
        return found

    def arguments(self, setting: Setting) -> list[str]:
        """Return the arguments that make a trial of a setting; the class first, since it decides on the rest."""
        values = {"trainer.max_steps": self.steps, "seeds": self.seeds} | self.fixed | self.selection | setting
        ordered = sorted(values.items(), key=lambda item: item[0] != CLASS)
        return ["--config", str(self.base), *(f"--{key}={_text(value)}" for key, value in ordered)]

    def build(self, setting: Setting) -> Experiment:
        """Build the experiment of a setting; ValueError with a short message if it is refused."""
        return experiment(self.arguments(setting))

    def configuration(self, setting: Setting, members: list[int]) -> dict[str, Any]:
        """Return the base file with a setting and seeds written into it: a file that `fit` runs."""
        config = reading.load(self.base, "a configuration")
        if CLASS in self.fixed | setting:
            # of the base's arguments another class keeps only what it knows
            config["model"] = self.build(setting).config["model"]
        values = self.fixed | setting | {"trainer.max_steps": self.steps, "seeds": members}
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
                first |= parameter.at(parameter.ends[0])
        yield "", first
        for parameter in (*self.parameters, *self.axes.values()):
            needed = {key: values[0] for key, values in parameter.when.items()}
            if parameter.until:
                yield parameter.key, self.active(first | parameter.cells(1)[0][1])
                continue
            for value in parameter.ends:
                yield parameter.key, self.active(first | needed | parameter.at(value))

    def active(self, setting: Setting) -> Setting:
        """Drop the values whose conditions do not hold."""
        conditions = {key: parameter for parameter in self.parameters for key in (parameter.key, *parameter.also)}
        return {k: v for k, v in setting.items() if k not in conditions or conditions[k].applies(setting)}

    def identity(self) -> Setting:
        """Return what trials of one study must share: the whole base file with its changes, seeds, parameters.

        Plain data by dotted key, as a storage gives it back.
        """
        base = flat(reading.load(self.base, "a configuration"))
        trials = seeds.first(self.seeds, seeds.TRIALS)
        described = {f"space: {p.key}": f"{p.distribution} {dict(p.when)} {p.also}" for p in self.parameters}
        own = {"trainer.max_steps": self.steps, "seeds": f"{trials[0]} to {trials[-1]}"}
        found: Setting = json.loads(json.dumps(base | self.fixed | self.selection | own | described, default=str))
        return found

    def digest(self, *more: Any) -> str:
        """Return what tells the answers about this space from others: identity, map, and whatever else is given."""
        axes = {name: str(axis) for name, axis in self.axes.items()}
        content = json.dumps([self.identity(), axes, *more], default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def validate(self) -> None:
        """Build the experiment at every end of every parameter.

        Raises:
            ValueError: some key or value is refused.
        """
        built: list[Setting] = []
        for key, setting in self.corners():
            if setting in built:
                continue  # each takes a tenth of a second
            built.append(setting)
            try:
                self.build(setting)
            except ValueError as error:
                at = f"{key}={setting.get(key)}: " if key else ""
                raise ValueError(f"{self.name}: {at}{error}") from error


def encoded(choice: Any) -> bool | int | float | str | None:
    """Return a choice as Optuna takes it: lists and mappings as text."""
    return json.dumps(choice) if isinstance(choice, list | dict) else choice


def flat(content: Any, key: str = "") -> Setting:
    """Return nested mappings as values by dotted key."""
    if not isinstance(content, dict) or not content:
        return {key: content}
    found: Setting = {}
    for name, value in content.items():
        found |= flat(value, f"{key}.{name}" if key else str(name))
    return found


def difference(known: Setting, now: Setting) -> list[str]:
    """Say what two identities do not share."""
    keys = [key for key in known | now if json.dumps(known.get(key)) != json.dumps(now.get(key))]
    told = [f"{key} {known.get(key, 'not set')}, now {now.get(key, 'not set')}" for key in keys[:TOLD]]
    return told + ([f"{len(keys) - TOLD} more"] if len(keys) > TOLD else [])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
