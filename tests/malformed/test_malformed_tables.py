from collections.abc import Iterator
from typing import Any

from feeding import OF_TYPES, hold, written

from arith_lightning.benchmark import command as benchmark
from arith_lightning.report import command as report

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
    files = ("nix.yaml", "configs", "/dev/null", "configs/nmu_mul.yaml", "")
    cases += [(name, lambda name=name: benchmark.main(["--config", name])) for name in files]
    cases += [(name, lambda name=name: report.main(["table", "--config", name])) for name in files]
    hold(cases, capsys, 140)
