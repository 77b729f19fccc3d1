"""What every experiment must keep afterwards: the same answers however its networks are asked."""

import contextlib
import csv
import io
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from arith_lightning import checkpoints, predicting, results, runs
from arith_lightning.answerer import Answerer
from arith_lightning.config import experiment
from arith_lightning.loaded import load
from arith_lightning.population import Population
from arith_lightning.testing.training import trainer

MEMBERS = 2
STEPS = 3
ROWS = 3
"""Examples that are asked."""


class AnswerContract:
    """Tests of one architecture with one dataset; give `configuration`."""

    @pytest.fixture
    def configuration(self) -> dict[str, Any]:
        """Return `model` and `data` as a configuration names them, with `class_path` and `init_args`."""
        raise NotImplementedError

    def test_it_answers_the_same_in_python_loaded_on_the_command_line_and_exported(
        self, configuration: dict[str, Any], tmp_path: Path
    ) -> None:
        """The population in memory says what every other way must answer."""
        population = trained(configuration, tmp_path)
        x = asked(population)
        wanted = population.predict(x)
        run = load(tmp_path)
        hold("a loaded population", run.population.predict(x), wanted)
        for index in range(MEMBERS):
            hold(f"run.member({index})", run.member(index)(x), wanted[index])
        best, wanted = run.best, wanted[results.best(population)]
        hold("run.best.ask", best.ask(x), wanted)
        hold("the command predict", printed(best, x, population.data.classes), wanted)
        several = ({0: torch.export.Dim("n", min=1)},)
        exported = torch.export.export(best, (x,), dynamic_shapes=several).module()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that sizes are taken for constants, which of inputs they are
            traced = torch.jit.trace(best, x)
        for rows in (x, x[:1]):
            hold("an export", exported(rows), wanted[: len(rows)])
            hold("a trace", traced(rows), wanted[: len(rows)])


def trained(configuration: dict[str, Any], folder: Path) -> Population:
    """Train some members for a few steps, not compiled, and leave in a folder what `load` needs of a run."""
    content = configuration | {"seeds": MEMBERS, "evaluate_every": STEPS}
    (folder / runs.CONFIG).write_text(yaml.safe_dump(content), encoding="utf-8")
    built = experiment(["--config", str(folder / runs.CONFIG)])
    population = Population(built.module, built.data, range(MEMBERS), evaluate_every=STEPS, compile=False)
    one = trainer(STEPS)
    one.fit(population)
    one.save_checkpoint(folder / checkpoints.LAST)
    return population


def asked(population: Population) -> Tensor:
    """Return some of the tested examples as people have them, `(rows, inputs)`, in single precision."""
    seen, _ = population.examples(0, "extrapolation")
    given = population.data.given("extrapolation")
    return (seen if given is None else given)[:, :ROWS].mT.float().contiguous()


def printed(network: Answerer, x: Tensor, classes: bool) -> Tensor:
    """Return what the command `predict` prints of a network, `(rows, outputs)`."""
    examples = [",".join(f"{value:.9g}" for value in row) for row in x.tolist()]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        predicting.show(network, predicting.numbers(examples, network), classes)
    rows = list(csv.reader(said.getvalue().splitlines()))[1:]
    return torch.tensor([[float(cell) for cell in row[-len(network.outputs) :]] for row in rows])


def hold(what: str, answers: Tensor, wanted: Tensor) -> None:
    """Refuse other answers than those of the population."""
    like = answers.to(wanted)
    same = like.shape == wanted.shape and torch.allclose(like, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
    assert same, (
        f"{what} must answer as population.predict, {wanted.flatten()[:4].tolist()}; "
        f"got {answers.flatten()[:4].tolist()}; compute in `forward` alone, and let `prepare` and `original` of the "
        "dataset undo what its draws do"
    )
