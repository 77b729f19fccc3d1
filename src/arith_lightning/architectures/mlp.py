"""Multilayer perceptron: affine layers with an elementwise activation between them.

Fits a product inside its training range and does not extrapolate: outside, a piecewise linear network continues as an
affine function and a saturating one as a constant.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from arith_lightning.architectures import wording
from arith_lightning.architectures.activations import ACTIVATIONS, HEADS, RANGES, Activation, Head
from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.reduction import linear
from arith_lightning.complaint import require
from arith_lightning.streams import Stream

Init = Literal["default", "he", "he_uniform", "lecun_uniform", "xavier", "orthogonal", "signs"]
PUBLISHED: dict[str, tuple[Init, float]] = {
    "relu": ("he_uniform", 1.0),
    "relu6": ("he_uniform", 1.0),
    "elu": ("he_uniform", 1.0),
    "selu": ("lecun_uniform", 1.0),
    "tanh": ("xavier", 5 / 3),
}
"""Initialization and factor of the hidden layers, by activation, of the baselines of Madsen and Johansen, "Neural
Arithmetic Units" (2020); all other layers start `xavier`."""


def orthonormal(stream: Stream, size: tuple[int, int]) -> Tensor:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, uniformly among all such."""
    tall = stream.normal((max(size), min(size)))
    frame, triangle = torch.linalg.qr(tall)
    frame = frame * triangle.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
    return frame if size[0] >= size[1] else frame.mT


class LinearLayer(ArithmeticLayer):
    """Affine map `(..., in_features)` to `(..., out_features)` with torch's parameters and a choice of start.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        init: `default` (torch's U(-1/sqrt(in), 1/sqrt(in)), bias too), `he` (N(0, 2/in)),
            `he_uniform` (U(-r, r), r = sqrt(6 / in)), `lecun_uniform` (r = sqrt(3 / in)), `xavier`
            (r = sqrt(6 / (in + out))), `orthogonal` (a random orthonormal frame) or `signs` (1/sqrt(in) or
            -1/sqrt(in), equally likely); bias 0 but with the first.
        init_scale: factor on the weights at the start.
        bias: whether there is an additive term; without it the map is linear.
    """

    init_scale: Tensor

    def __init__(
        self, in_features: int, out_features: int, init: Init = "default", init_scale: float = 1.0, bias: bool = True
    ) -> None:
        super().__init__(in_features, out_features, init_scale=init_scale)
        self.init = init
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Draw `weight` and `bias`, if there is one."""
        fan_out, fan_in = size = (self.out_features, self.in_features)
        bias = torch.zeros(fan_out, dtype=stream.dtype, device=stream.seed.device)
        if self.init == "default":
            bound = 1 / math.sqrt(fan_in)
            weight, bias = stream.uniform(size, -bound, bound), stream.uniform((fan_out,), -bound, bound)
        elif self.init == "he":
            weight = stream.normal(size, std=math.sqrt(2 / fan_in))
        elif self.init == "orthogonal":
            weight = orthonormal(stream, size)
        elif self.init == "signs":
            weight = torch.where(stream.uniform(size) < 0.5, -1.0, 1.0).to(stream.dtype) / math.sqrt(fan_in)
        else:
            square = {"he_uniform": 6 / fan_in, "lecun_uniform": 3 / fan_in, "xavier": 6 / (fan_in + fan_out)}
            bound = math.sqrt(square[self.init])
            weight = stream.uniform(size, -bound, bound)
        return {"weight": weight * self.init_scale} | ({} if self.bias is None else {"bias": bias})

    def formula(self, names: Sequence[str], x: Tensor | None = None) -> list[str]:
        """Return each output as a sum."""
        bias = torch.zeros(self.out_features) if self.bias is None else self.bias
        return [wording.total(row, names, b) for row, b in zip(self.weight.tolist(), bias.tolist(), strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        """Return W x + b, or W x."""
        product = linear(self.weight, x)
        return product if self.bias is None else product + self.bias


class DenseModule(ArithmeticModule):
    """A dense network with a choice of head and loss, trained.

    With the losses `logits` and `hinge` the head is left out of training, where numbers can grow as they like, and
    put on in evaluation, whose answers are probabilities.

    Args:
        body: maps `(..., in_features)` to `(..., out_features)`.
        head: what is done to the body's outputs: nothing (`linear`), `relu`, `sigmoid`, or `softmax` over them.
        loss: `mse`; `cross_entropy` of the probabilities (in nats, mean over outputs and examples), which needs the
            sigmoid head and targets in [0, 1]; or `logits`, the cross-entropy from what goes into a sigmoid head (mean
            over outputs and examples) or into a softmax head (mean over examples; targets of an example sum to one),
            as torch's `BCEWithLogitsLoss` and `CrossEntropyLoss`; or `hinge`, the mean over outputs and examples of
            max(0, 1 - s z), where z goes into a sigmoid head and s = 2 y - 1 is the sign of a target y of 0 or 1.
        training: see `ArithmeticModule`.
    """

    discrete = False

    def __init__(
        self,
        body: nn.Module,
        head: Head = "linear",
        loss: Literal["mse", "cross_entropy", "logits", "hinge"] = "mse",
        **training: Any,
    ) -> None:
        require(
            loss in ("mse", "cross_entropy", "logits", "hinge"),
            "loss must be mse, cross_entropy, logits or hinge",
            loss,
            "try mse",
        )
        way_out = "set loss: logits" if head == "softmax" else "set head: sigmoid"
        require(
            head == "sigmoid" or loss != "cross_entropy",
            "cross_entropy needs a probability for each output on its own, the head sigmoid",
            f"head: {head}",
            way_out,
        )
        way_out = "set head: softmax for one class of many, or sigmoid"
        require(
            head in ("sigmoid", "softmax") or loss != "logits",
            "logits need a head that makes them probabilities",
            f"head: {head}",
            way_out,
        )
        require(
            head == "sigmoid" or loss != "hinge",
            "the hinge loss needs an answer of two sides, the head sigmoid",
            f"head: {head}",
            "set head: sigmoid",
        )
        super().__init__(body if head == "linear" else nn.Sequential(body, HEADS[head]()), **training)
        self.cross_entropy = loss == "cross_entropy"
        self.logits = head if loss in ("logits", "hinge") else None
        self.hinge = loss == "hinge"
        self.output_range = RANGES[head]

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., in_features)` to `(..., out_features)`.

        In training with the losses `logits` and `hinge` that are the numbers before a sigmoid, or the logarithms of
        softmax probabilities.
        """
        if self.logits is None or not self.training:
            return super().forward(x)
        body = self.network[0](x)  # type: ignore[index]
        return body if self.logits == "sigmoid" else torch.log_softmax(body, dim=-1)

    def error(self, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy, the hinge loss or the mean squared error."""
        # by hand, because torch's functions stop the run, and every other member with it, at one NaN
        if self.logits == "softmax":
            logarithms = prediction if self.training else prediction.clamp(min=1e-38).log()
            return -(y * logarithms).sum() / y.sum()
        if self.hinge:
            z = prediction if self.training else torch.logit(prediction, 1e-7)
            return (1 - (2 * y - 1) * z).clamp(min=0).mean()
        if self.logits == "sigmoid" and self.training:
            return (nn.functional.softplus(prediction) - y * prediction).mean()
        if self.cross_entropy or self.logits:
            p = prediction.clamp(1e-7, 1 - 1e-7)
            return -(y * p.log() + (1 - y) * (-p).log1p()).mean()
        return super().error(prediction, x, y)


class MLP(DenseModule):
    """`depth` hidden layers of `width` units and an affine output, trained.

    The published baselines have one hidden layer of two units and `init: published`; `activation: none` is their
    linear model.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        depth: number of hidden layers; 0 is a linear model.
        width: units in each hidden layer.
        stem: whether an affine layer of `width` units, without an activation, comes before the hidden layers.
        widths: units of the stem (if any) and of each hidden layer, one by one, instead of `depth` and `width`.
        activation: elementwise function after each hidden layer.
        init: start of every affine layer, see `LinearLayer`; `published` chooses one by the activation.
        init_scale: factor on the weights at the start.
        bias: whether affine layers have an additive term; without one and with an odd activation (`tanh`) the whole
            network is odd, f(-x) = -f(x), and no even function can be learnt.
        training: see `DenseModule`.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        depth: int = 2,
        width: int = 32,
        stem: bool = False,
        widths: list[int] | None = None,
        activation: Activation = "relu",
        init: Init | Literal["published"] = "default",
        init_scale: float = 1.0,
        bias: bool = True,
        **training: Any,
    ) -> None:
        require(
            depth >= 0 and width >= 1,
            "an MLP needs depth >= 0 and width >= 1",
            f"{depth=}, {width=}",
            "try depth 2, width 32",
        )
        sizes = [width] * (depth + stem) if widths is None else widths
        require(
            all(size >= 1 for size in sizes) and len(sizes) >= stem,
            "widths must be positive, one for the stem and each hidden layer",
            widths,
            "try [32, 32]",
        )
        layers: list[nn.Module] = []
        outer: Init = "xavier" if init == "published" else init
        inner, factor = PUBLISHED.get(activation, ("xavier", 1.0)) if init == "published" else (init, 1.0)
        for index, (fan_in, fan_out) in enumerate(pairwise([in_features, *sizes])):
            if index or not stem:
                layers.append(LinearLayer(fan_in, fan_out, inner, init_scale * factor, bias))
                layers.append(ACTIVATIONS[activation]())
            else:
                layers.append(LinearLayer(fan_in, fan_out, outer, init_scale, bias))
        last = LinearLayer(sizes[-1] if sizes else in_features, out_features, outer, init_scale, bias)
        super().__init__(nn.Sequential(*layers, last), **training)
