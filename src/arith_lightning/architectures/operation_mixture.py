"""A mixture of operations: z = sum_k softmax(logits)_k f_k(x), candidates f_k of two numbers, one weight each.

Everything is written down but which operation is asked. On raw numbers a single step can decide: the gradient of a
squared error is as large as the candidates' values, and a softmax that is thrown to one side stays there.

Source of the question: a product cell mixed with a dense layer by a softmax of two free logits; the form with many
candidates is that of differentiable architecture search (Liu, Simonyan and Yang, "DARTS", 2019, section 2.2).
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.complaint import require
from arith_lightning.streams import Stream

CANDIDATES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "square": lambda a, b: a * a,
    "root": lambda a, b: torch.sqrt(a.abs()),
}
"""Operations of the first and the last input; `dense`, an affine map of all inputs, may stand beside them."""


class OperationMixtureLayer(ArithmeticLayer):
    """Map `(..., in_features)` to `(..., 1)`.

    Args:
        in_features: number of inputs.
        candidates: names of `CANDIDATES`, or `dense`.
        init_logit: value of every logit at the start.
    """

    init_logit: Tensor

    def __init__(self, in_features: int, candidates: list[str], init_logit: float = 0.0) -> None:
        super().__init__(in_features, 1, init_logit=init_logit)
        self.candidates = tuple(candidates)
        self.logits = nn.Parameter(torch.empty(1, len(candidates)))
        if "dense" in candidates:
            self.weight = nn.Parameter(torch.empty(1, in_features))
            self.bias = nn.Parameter(torch.empty(1))

    def initial(self, stream: Stream) -> dict[str, Tensor]:
        """Return equal `logits`; draw `weight` and `bias` of a dense candidate as torch does."""
        logits = torch.ones(1, len(self.candidates), dtype=stream.dtype, device=stream.seed.device) * self.init_logit
        values = {"logits": logits.to(stream.dtype)}
        if "dense" in self.candidates:
            bound = 1 / math.sqrt(self.in_features)
            values["weight"] = stream.uniform((1, self.in_features), -bound, bound)
            values["bias"] = stream.uniform((1,), -bound, bound)
        return values

    def mixture(self) -> Tensor:
        """Return the weight of each candidate, `(1, candidates)`."""
        return torch.softmax(self.logits, dim=-1)

    def gates(self, x: Tensor) -> Tensor:
        """Return the mixture, whatever the input."""
        return self.mixture()

    def weights(self) -> dict[str, Tensor]:
        """Return the mixture, which is sparse when one candidate is chosen."""
        return {"mixture": self.mixture()}

    def penalty(self) -> Tensor:
        """Return the entropy of the mixture in nats, zero when one candidate is chosen."""
        return -(self.mixture() * torch.log_softmax(self.logits, dim=-1)).sum()

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted sum of the candidates' answers."""
        first, last = x[..., :1], x[..., -1:]
        answers = [
            nn.functional.linear(x, self.weight, self.bias) if name == "dense" else CANDIDATES[name](first, last)
            for name in self.candidates
        ]
        return sum(  # type: ignore[return-value]
            weight * answer for weight, answer in zip(self.mixture().unbind(-1), answers, strict=True)
        )


class OperationMixture(ArithmeticModule):
    """One `OperationMixtureLayer`, trained.

    Args:
        in_features: number of inputs.
        out_features: must be 1.
        candidates: names of `CANDIDATES`, or `dense`.
        init_logit: value of every logit at the start.
        training: see `ArithmeticModule`; the penalty is the entropy of the mixture.
    """

    def __init__(
        self,
        in_features: int = 2,
        out_features: int = 1,
        candidates: list[str] = ["add", "sub", "mul", "div", "square", "root"],
        init_logit: float = 0.0,
        **training: Any,
    ) -> None:
        known = [*CANDIDATES, "dense"]
        require(
            len(candidates) > 1 and len(set(candidates)) == len(candidates) and set(candidates) <= set(known),
            "candidates must be two or more different operations",
            candidates,
            f"choose from {', '.join(known)}",
        )
        require(out_features == 1, "a mixture of operations has one output; out_features", out_features, "set it to 1")
        super().__init__(OperationMixtureLayer(in_features, candidates, init_logit), **training)
