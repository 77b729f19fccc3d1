from collections.abc import Iterator
from typing import Any

from feeding import OF_TYPES, hold, written

from arith_lightning.search import command
from arith_lightning.search.declaration import load

RATE = "model.init_args.learning_rate"
SPACE: dict[str, Any] = {
    "base": "configs/sine_parity.yaml",
    "steps": 20,
    "seeds": 2,
    "trials": 4,
    "space": {RATE: {"low": 0.01, "high": 1.0}},
}
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
    texts = (b"", b"a: [", b"- 1", b"steps: 1\nsteps: 2\n", b"\xff\xfe", b"space: !!python/name:os.system\n")
    cases += [written(text, run) for text in texts]
    names = ("nix", "parityy", "", "../../etc/passwd", "/etc/passwd.yaml", "x\ny", "configs", "n" * 400 + ".yaml")
    hold([*cases, *((name, lambda name=name: run(name)) for name in names)], capsys, 200)
