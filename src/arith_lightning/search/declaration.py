"""A search space is a YAML file of dotted configuration keys; this reads it and refuses what cannot be meant.

base: the experiment that every trial changes, such as configs/nalu_mul.yaml
steps: optimizer steps of a trial (trainer.max_steps)
seeds: how many seeds score a trial; they are counted from 10,000,000, `arith_lightning.seeds` says why
trials: trials of the study
fixed: changes that all trials share, {dotted key: value}
selection: changes that trials, not reported results, share: examples to select on, such as another held-out set
space: {dotted key: {low, high, log}} or {dotted key: {choices: [...]}}; `when: {other key: [values]}` is a condition,
    `also: [keys]` gives other keys the same value
asked: [keys] of choices, each answered for by itself: a study for each of their values (each combination), of so many
    trials, over everything else; without it a study looks for the one best setting
map: axes of the picture, {x: key, y: key, panels: key}; {key: dotted key, low, high, log} in place of a key gives an
    axis a range of its own, and `until: key` makes each cell an interval, from `key` to `until`; points: [along x,
    along y] sets the density, theory: a function of `theory` draws what is known
"""

import math
from typing import Any

from arith_lightning import reading, shipped
from arith_lightning.complaint import nearest, require, short
from arith_lightning.search import theory
from arith_lightning.search.space import Parameter, Space

LIMIT = 2**31 - 1
"""Largest number of steps, seeds or trials, and largest end of a range of whole numbers."""
DENSEST = 1000
"""Most points along an axis of a map."""
OWN = {"trainer.max_steps": "steps", "seeds": "seeds", "settings": "the base", "config": "base", "ckpt_path": "none"}
"""Keys of a configuration that a space says in its own words, and where."""


def load(name: str) -> Space:
    """Read a space by the name of its file in search/spaces (with its folder there, if it has one), or by path.

    Raises:
        ValueError: there is no such file, or it breaks a rule.
    """
    path = shipped.space(name)
    content = reading.load(path, "a space")
    try:
        return parse(reading.stem(path), content)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def parse(name: str, content: Any) -> Space:
    """Make a space of what a file holds.

    Raises:
        ValueError: it breaks a rule.
    """
    required, optional = ("base", "steps", "seeds", "trials", "space"), ("fixed", "selection", "asked", "map")
    _known("a space", content, (*required, *optional))
    missing = [key for key in required if key not in content]
    require(not missing, f"a space must have {', '.join(required)}", f"none of {', '.join(missing)}", "add it")
    for key in ("steps", "seeds", "trials"):
        whole = _whole(content[key]) and 1 <= content[key] <= LIMIT
        require(whole, f"{key} must be a positive whole number", repr(content[key]), "try 1000")
    base = content["base"]
    known = isinstance(base, str) and base.endswith((".yaml", ".yml")) and shipped.find(base).is_file()
    require(known, "base must be a configuration file", repr(base), "try configs/nmu_mul.yaml")
    space = _mapping("space", content["space"])
    require(bool(space), "space must name at least one parameter", repr(space), "add {low, high} of one")
    parameters = tuple(_parameter(key, value) for key, value in space.items())
    _ordered(parameters)
    fixed, selection = (_changes(key, content.get(key), parameters) for key in ("fixed", "selection"))
    asked = _asked(content.get("asked"), parameters)
    drawn = dict(_mapping("map", content.get("map")))
    points, known_theory = drawn.pop("points", [24, 16]), drawn.pop("theory", "")
    names = list(theory.FUNCTIONS)
    require(
        known_theory == "" or known_theory in names,
        f"map.theory must be one of {', '.join(names)}",
        f"{known_theory!r}{nearest(str(known_theory), names)}",
        "leave it out",
    )
    dense = isinstance(points, list) and len(points) == 2 and all(_whole(n) and 1 < n <= DENSEST for n in points)
    require(dense, f"map.points must be two whole numbers from 2 to {DENSEST}", points, "try [24, 16]")
    return Space(
        name,
        shipped.find(base).absolute(),
        content["steps"],
        content["seeds"],
        content["trials"],
        fixed,
        parameters,
        _axes(drawn, {parameter.key: parameter for parameter in parameters}),
        (points[0], points[1]),
        selection,
        known_theory,
        asked,
    )


def _parameter(key: Any, value: Any, more: tuple[str, ...] = ()) -> Parameter:
    _free(key)
    _known(key, value, ("low", "high", "log", "choices", "when", "also", *more))
    when = _mapping(f"{key}: when", value.get("when"))
    for values in when.values():
        require(isinstance(values, list) and bool(values), f"{key}: `when` must give values", values, f"try [{values}]")
    also = [] if value.get("also") is None else value["also"]
    require(isinstance(also, list), f"{key}: `also` must be a list of keys", repr(also), f"try [{also}]")
    for other in also:
        _free(other)
    conditions = {other: tuple(values) for other, values in when.items()}
    if "choices" in value:
        return Parameter(key, choices=_choices(key, value), when=conditions, also=tuple(also))
    low, high, log, until = value.get("low"), value.get("high"), value.get("log", False), value.get("until") or ""
    for end in (low, high):
        number = (isinstance(end, float) and math.isfinite(end)) or (_whole(end) and abs(end) <= LIMIT)
        require(number, f"{key}: low and high must be numbers", repr(end), "write 1.0e-3, YAML reads 1e-3 as text")
    require(low < high, f"{key}: `low < high` must hold", f"{low=}, {high=}", "swap them")
    require(isinstance(log, bool), f"{key}: log must be true or false", repr(log), "write log: true")
    require(not log or low > 0, f"{key}: a logarithmic range must be positive", f"{low=}", "try low: 1.0e-6")
    if until:
        _free(until)
    return Parameter(key, low, high, log, when=conditions, also=tuple(also), until=until)


def _choices(key: str, value: dict[str, Any]) -> tuple[Any, ...]:
    choices = value["choices"]
    alone = not {"low", "high", "log", "until"} & value.keys()
    several = isinstance(choices, list) and bool(choices)
    rule = f"{key}: choices must be a list with at least one value, and stand alone"
    require(several and alone, rule, value, "try {choices: [a, b]}")
    twice = [choice for k, choice in enumerate(choices) if choice in choices[:k] or choice != choice]
    require(not twice, f"{key}: choices must differ from each other, as 1, 1.0 and true do not", twice, "drop one")
    return tuple(choices)


def _ordered(parameters: tuple[Parameter, ...]) -> None:
    """Refuse conditions on what does not stand above, and keys that two parameters set."""
    seen: dict[str, Parameter] = {}
    for parameter in parameters:
        for other, values in parameter.when.items():
            above = other in seen
            rule, hint = f"{parameter.key}: `when` must name a parameter above it", nearest(str(other), list(seen))
            require(above, rule, f"'{other}'{hint}", "move it down")
            choices = list(seen[other].choices)
            among = all(value in choices for value in values)
            rule = f"{parameter.key}: `when` must give values among the choices of '{other}', {choices}"
            require(among, rule, list(values), "correct them")
        seen[parameter.key] = parameter
    keys = [key for parameter in parameters for key in (parameter.key, *parameter.also)]
    twice = [key for key in keys if keys.count(key) > 1]
    require(not twice, "one parameter must set a key", f"{sorted({*twice})} twice", "drop one, or its `also`")


def _asked(value: Any, parameters: tuple[Parameter, ...]) -> tuple[str, ...]:
    keys = [] if value is None else value
    require(isinstance(keys, list), "asked must be a list of keys", repr(keys), f"try [{keys}]")
    able = [p.key for p in parameters if not p.when and p.choices and not any(map(_nested, p.choices))]
    for key in keys:
        rule = "asked must name parameters of the space with single choices and without `when`"
        require(key in able, rule, f"{key!r}{nearest(str(key), able)}", f"there are {', '.join(able) or 'none'}")
    require(len(set(keys)) == len(keys), "asked must name a parameter once", keys, "drop one")
    require(len(keys) < len(parameters), "a space must leave something to choose", keys, "ask for fewer")
    return tuple(keys)


def _nested(choice: Any) -> bool:
    return isinstance(choice, list | dict)


def _axes(content: dict[str, Any], parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    _known("map", content, ("x", "y", "panels"))
    require(not content or {"x", "y"} <= content.keys(), "map must have x and y", content, "add the other one")
    axes = {}
    for name, value in content.items():
        if isinstance(value, dict):
            own = {key: part for key, part in value.items() if key != "key"}
            axes[name] = _parameter(value.get("key", ""), own, more=("until",))
        else:
            rule, hint = (
                f"map.{name} must be a parameter of the space or have its own range",
                nearest(str(value), parameters),
            )
            require(isinstance(value, str) and value in parameters, rule, f"{value!r}{hint}", "try {key, low, high}")
            axes[name] = parameters[value]
    panels = axes.get("panels")
    chosen = panels is None or bool(panels.choices)
    require(chosen, "map.panels must be a parameter with choices", panels and panels.key, "leave it out")
    return axes


def _changes(name: str, value: Any, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    changes = _mapping(name, value)
    varied = {key for parameter in parameters for key in (parameter.key, *parameter.also)}
    for key in changes:
        require(isinstance(key, str), f"{name} must map dotted keys to values", repr(key), "correct it")
        require(key not in OWN, f"{name} must leave {key} to the space", key, f"{OWN.get(key, '')} says it")
        require(key not in varied or name == "selection", f"{name} must not hold a parameter", key, "drop it there")
    return changes


def _free(key: Any) -> None:
    """Refuse a key that no trial may vary."""
    free = isinstance(key, str) and key.startswith(("model.", "data.")) and not key.endswith(".seed")
    require(
        free,
        "a parameter must be a key of the model or of the data, and no seed",
        repr(key),
        "write model.class_path, or model.init_args.learning_rate",
    )


def _mapping(name: str, value: Any) -> dict[str, Any]:
    value = {} if value is None else value
    require(isinstance(value, dict), f"{name} must be a mapping", reading.kind(value), "write `key: value` lines")
    return value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _known(where: str, content: Any, known: tuple[str, ...]) -> None:
    rule = f"{where} must be a mapping with {', '.join(known)}"
    require(isinstance(content, dict), rule, repr(content), "see search/spaces/multiplication.yaml")
    for key in content:
        if key not in known:
            hint = nearest(str(key), known)
            raise ValueError(f"{where}: unknown key '{short(key)}'{hint}; expected {', '.join(known)}")
