"""A search space is a YAML file of dotted configuration keys; this reads it and refuses what cannot be meant.

base: the experiment that every trial changes, such as configs/nalu_mul.yaml
steps: optimizer steps of a trial (trainer.max_steps)
seeds: how many seeds score a trial; they are counted from 10,000,000, `arith_lightning.seeds` says why
trials: trials of the study
fixed: changes that all trials share, {dotted key: value}
selection: changes that trials, not reported results, share: examples to select on, such as another held-out set
space: {dotted key: {low, high, log}} or {dotted key: {choices: [...]}}; `when: {other key: [values]}` is a condition,
    `also: [keys]` gives other keys the same value
map: axes of the picture, {x: key, y: key, panels: key}; {key: dotted key, low, high, log} in place of a key gives an
    axis a range of its own, and `until: key` makes each cell an interval, from `key` to `until`; points: [along x,
    along y] sets the density, theory: a function of `theory` draws what is known
"""

import math
from pathlib import Path
from typing import Any

import yaml

from arith_lightning.explain import nearest
from arith_lightning.search import theory
from arith_lightning.search.space import Parameter, Space

ROOT = Path(__file__).parents[3]
SPACES = ROOT / "search" / "spaces"


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
    required, optional = ("base", "steps", "seeds", "trials", "space"), ("fixed", "selection", "map")
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
    known = content_map.pop("theory", "")
    if known and known not in theory.FUNCTIONS:
        names = list(theory.FUNCTIONS)
        raise ValueError(f"map.theory must be one of {', '.join(names)}; got '{known}'{nearest(str(known), names)}")
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
        content.get("selection") or {},
        known,
    )


def _parameter(key: str, value: Any, more: tuple[str, ...] = ()) -> Parameter:
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be {{low, high, log}} or {{choices: [...]}}; got {value!r}")
    _known(key, value, ("low", "high", "log", "choices", "when", "also", *more))
    when = {other: tuple(values) for other, values in (value.get("when") or {}).items()}
    also = tuple(value.get("also") or ())
    if "choices" in value:
        choices = value["choices"]
        if not isinstance(choices, list) or not choices or {"low", "high", "log", "until"} & value.keys():
            raise ValueError(f"{key}: choices must be a list with at least one value, and stand alone; got {value}")
        return Parameter(key, choices=tuple(choices), when=when, also=also)
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
    return Parameter(key, low, high, log, when=when, also=also, until=value.get("until") or "")


def _ordered(parameters: tuple[Parameter, ...]) -> None:
    seen: dict[str, Parameter] = {}
    for parameter in parameters:
        for other, values in parameter.when.items():
            if other not in seen:
                hint = nearest(other, list(seen))
                raise ValueError(f"{parameter.key}: `when` must name a parameter above it; got '{other}'{hint}")
            if not all(value in seen[other].choices for value in values):
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
            axes[name] = _parameter(
                value.get("key", ""), {k: v for k, v in value.items() if k != "key"}, more=("until",)
            )
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
