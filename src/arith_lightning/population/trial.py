"""A first look at a network and its data: what does not fit, or torch cannot map over members, is refused at once."""

import copy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap

from arith_lightning.architectures import ArithmeticModule, Network
from arith_lightning.complaint import require, short
from arith_lightning.data import ArithmeticDataModule
from arith_lightning.population.functional import Functional, objective
from arith_lightning.streams import Purpose, Stream

ROWS = 4
"""Examples looked at."""
CAUSES = {
    "randomness": ("draw no random numbers", "leave the noise to the data"),
    "data-dependent control flow": ("not branch on a tensor's value", "take torch.where"),
    ".item()": ("not turn a tensor into a number", "calculate with the tensor itself"),
    "aten::rnn": ("not call torch.nn.RNN, which torch cannot map", "write its loop with torch.nn.RNNCell"),
    "aten::lstm": ("not call torch.nn.LSTM, which torch cannot map", "write its loop with torch.nn.LSTMCell"),
    "aten::gru": ("not call torch.nn.GRU, which torch cannot map", "write its loop with torch.nn.GRUCell"),
    "in-place": ("not change a tensor in place that another network shares", "write x = x + 1 in place of x += 1"),
    "vmap: It is not possible to call": ("not call what torch cannot map", "take other operations"),
    "dynamic shape": ("not choose elements by a tensor's value", "take torch.where"),
}
"""What torch's messages mean, by words in them: the rule and the way out."""


def examine(module: ArithmeticModule, data: ArithmeticDataModule) -> None:
    """Refuse a network that does not fit the data, and one of one's own that members cannot share.

    Raises:
        ValueError: with what is in the way, and how to go on.
    """
    module = copy.deepcopy(module).train()
    own = isinstance(module, Network)
    kind = type(module.get_submodule(module.body) if isinstance(module, Network) else module).__name__
    x, y = (part.mT[:ROWS].to(next(module.parameters()).dtype) for part in data.batch(0, torch.float64))
    kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
    way_out = "change its first layer" if own else "take another architecture"
    answer = attempt(lambda: module(x), f"{kind} must take the data's inputs, {shape(x)}", way_out)
    one = isinstance(answer, Tensor)
    require(one, f"{kind} must return one tensor", type(answer).__name__, "return the answers alone")
    fit = answer.shape == y.shape
    way_out = "change its last layer" if own else "take another architecture"
    require(fit, f"the data asks {kind} for {shape(y)}", f"your network returns {shape(answer)}", way_out)
    if data.item_features:
        longer = x.new_ones(1, 2 * x.shape[1])
        way_out = (
            "test at the length that is trained, or take one of any length, such as RNN, RecurrentUnit or DeepSets"
        )
        attempt(lambda: module(longer), f"{kind} must take examples of every length that is tested", way_out)
    if isinstance(module, Network):
        shared(module, kind, x, y, kept)


def shared(module: Network, kind: str, x: Tensor, y: Tensor, kept: dict[str, Tensor]) -> None:
    """Refuse a network of one's own that members cannot share.

    Args:
        module: the network, which has answered once.
        kind: what it is called.
        x: inputs `(rows, in_features)`.
        y: targets `(rows, out_features)`.
        kept: its buffers before it has answered.

    Raises:
        ValueError: with what is in the way, and how to go on.
    """
    starts = [module.initial(Stream(seed, Purpose.INITIALIZATION)) for seed in (0, 0, 1)]
    same = all(torch.equal(starts[0][name], starts[1][name]) for name in starts[0])
    require(same, f"{kind} must start the same after the same torch.manual_seed", "another start", "draw with torch")
    changed = [name for name, buffer in module.named_buffers() if not torch.equal(buffer, kept[name])]
    way_out = "calculate it anew at each call"
    require(not changed, f"{kind} must not change what it holds", ", ".join(changed), way_out)
    members = {name: torch.stack([starts[0][name], starts[2][name]]) for name in starts[0]}
    both = torch.stack([x, x]), torch.stack([y, y])
    loss = Functional(module, objective)
    rule = f"{kind} must be one that torch can map over many networks"
    step = torch.tensor(0)

    def gradient(values: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return grad(lambda values: loss.at(values, x.mT, y.mT, step))(values)

    attempt(lambda: vmap(gradient)(members, *both), rule, "see docs/your-own.md")
    apart(module, kind, x)
    module.eval()
    answers = Functional(module, call)
    attempt(lambda: vmap(answers.at)(members, both[0]), rule, "see docs/your-own.md")


def apart(module: Network, kind: str, x: Tensor) -> None:
    """Refuse a network whose answer to an example depends on the others that are asked with it.

    Raises:
        ValueError: it does, or takes no single example.
    """
    rule, way_out = f"{kind} must answer each example by itself", "calculate nothing over the first axis, such as means"
    together = module(x)
    alone = attempt(lambda: torch.cat([module(row) for row in x.split(1)]), rule, way_out)
    same = torch.allclose(together, alone, rtol=1e-3, atol=1e-5, equal_nan=True)
    require(same, rule, "answers that change with the examples beside them", f"{way_out}; take LayerNorm for BatchNorm")


def call(module: ArithmeticModule, x: Tensor) -> Tensor:
    """Return a module's answers."""
    return module(x)


def attempt(action: Callable[[], Any], rule: str, way_out: str) -> Any:
    """Do what may fail in somebody's own code.

    Raises:
        ValueError: it does; the message says why.
    """
    try:
        return action()
    except Exception as error:
        said, where = f"{type(error).__name__}: {short(error)}", place(error)
        told = next((cause for words, cause in CAUSES.items() if words in str(error)), None)
        if told:
            rule, way_out, said = f"{rule.partition(' must ')[0]} must {told[0]}", told[1], type(error).__name__
        raise ValueError(f"{rule}; got {said}{where}; {way_out}") from error


def place(error: BaseException) -> str:
    """Return the line of somebody's own code that an error comes from; nothing where there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    homes = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent))
    own = [frame for frame in frames if not frame.filename.startswith((*homes, "<"))]
    return f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def shape(value: Tensor) -> str:
    """Return a shape with any number of examples."""
    return f"(n, {', '.join(map(str, value.shape[1:]))})" if value.dim() > 1 else "(n,)"
