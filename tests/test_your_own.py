"""What docs/your-own.md says, word for word."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from arith_lightning import fit

PAGE = (Path(__file__).parents[1] / "docs" / "your-own.md").read_text()
SHOWN = dict(zip(("formula", "module", "network", "python"), re.findall(r"```\w+\n(.*?)```", PAGE, re.S), strict=True))


@pytest.mark.parametrize("name", ["formula", "network"])
def test_its_configurations_train(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as python -m does
    (tmp_path / "my_net.py").write_text(SHOWN["module"])
    config = yaml.safe_load(SHOWN["formula"]) | (yaml.safe_load(SHOWN[name]) if name == "network" else {})
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config))
    short = ["--trainer.max_steps=20", "--evaluate_every=20", "--seeds=2"]
    monkeypatch.setattr(sys, "argv", ["fit", "fit", "--config", "own.yaml", *short])
    assert fit.main() == 0
    assert "seeds solve it" in capsys.readouterr().out


def test_its_python_trains(trainer):
    found = {}
    exec(SHOWN["python"], found)
    population = found["population"]
    trainer(20).fit(population)
    x, y = population.data.evaluation_set("interpolation")
    assert population.predict(x.mT).shape == (8, *y.mT.shape)
