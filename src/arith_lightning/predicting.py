"""Ask a trained network: `python -m arith_lightning.fit predict logs/my/version_0 3,4 5,6`.

Each example is its inputs with commas between them; `--file` has more, a line each. The answer is a line of CSV each.
"""

import argparse
import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from arith_lightning.answerer import Answerer
from arith_lightning.complaint import require
from arith_lightning.data import rows
from arith_lightning.loaded import load

EXAMPLE = re.compile(r"[-+]?(\d|\.\d)\S*")
"""What an example begins as, also one with a minus, which is no option."""


def command() -> None:
    """Do what the command line asks for.

    Raises:
        ValueError: there is no such run or file, or an example is none.
    """
    arguments = sys.argv[2:]
    given = [one for k, one in enumerate(arguments) if EXAMPLE.fullmatch(one) and arguments[k - 1 : k] != ["--member"]]
    parser = argparse.ArgumentParser("python -m arith_lightning.fit predict", description=__doc__, allow_abbrev=False)
    parser.add_argument("run", nargs="?", help="the run's folder, such as logs/my/version_0, or its config.yaml")
    parser.add_argument("--config", help="the same")
    parser.add_argument("examples", nargs="*", help="inputs of each example, such as 3,4")
    parser.add_argument("--file", help="CSV, TSV, .npy, .npz or Parquet with the inputs, columns by name or in order")
    parser.add_argument(
        "--member", type=int, help="the network of this row in runs.csv, counted from 0 (default: the best)"
    )
    options = parser.parse_args([one for one in arguments if one not in given])
    folder = options.run or options.config
    require(folder is not None, "predict needs a run", "none", "such as logs/my/version_0")
    run = load(Path(folder).parent if folder.endswith(".yaml") else folder)
    network = run.best if options.member is None else run.member(options.member)
    examples = [*given, *options.examples]
    parts = [numbers(examples, network)] if examples else []
    parts += [read(options.file, network)] if options.file is not None else []
    way_out = f"give {','.join(network.inputs[:8])}, or --file rows.csv"
    require(sum(map(len, parts)) > 0, "predict needs an example", "none", way_out)
    lengths = {part.shape[1] for part in parts}
    require(len(lengths) == 1, "examples must have one length", " and ".join(map(str, lengths)), "ask one by one")
    show(network, torch.cat(parts), run.population.data.classes)


def show(network: Answerer, x: Tensor, classes: bool) -> None:
    """Print inputs and answers as CSV; of classes, the likeliest and the share of each.

    Args:
        network: what answers.
        x: inputs `(n, inputs)`.
        classes: whether the outputs are classes.
    """
    answers = network.ask(x).tolist()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*network.named(x.shape[1]), *(["class"] if classes else []), *network.outputs])
    for row, answer in zip(x.tolist(), answers, strict=True):
        chosen = [network.outputs[max(range(len(answer)), key=answer.__getitem__)]] if classes else []
        writer.writerow([*(f"{value:.9g}" for value in row), *chosen, *(f"{value:.9g}" for value in answer)])


def numbers(examples: Sequence[str], network: Answerer) -> Tensor:
    """Read examples such as `3,4` as `(n, inputs)`.

    Raises:
        ValueError: one is not as many numbers as there are inputs.
    """
    found, names = [], network.named(examples[0].count(",") + 1)
    for example in examples:
        cells = example.split(",")
        fit = len(cells) == len(names) and all(map(rows.number, cells))
        way_out = "write them without spaces, such as " + ",".join("3" for _ in names[:8])
        require(fit, f"an example must be {len(names)} numbers, {', '.join(names[:8])}", example, way_out)
        found.append([float(cell) for cell in cells])
    return torch.tensor(found, dtype=torch.float64)


def read(path: str, network: Answerer) -> Tensor:
    """Read `(n, inputs)` from a file: the columns of these names, or, where it has others, as many as there are inputs.

    Raises:
        ValueError: there is no such file, or it has other columns.
    """
    table = rows.read(path, "auto", None)
    known = [str(name) for name in table.columns]
    names = network.named(len(known))
    chosen = list(names) if {*names} <= {*known} else known
    rule = f"the file must have the columns {', '.join(names[:8])}"
    require(len(chosen) == len(names), rule, ", ".join(known[:8]), "name them in its first line")
    return torch.from_numpy(rows.numbers(table, chosen)).mT
