"""Steps that are recorded once and then replayed: the same operations in the same order, so the same bits.

An eager step of a small network costs what Python takes to map, differentiate and dispatch it: one to two milliseconds.
Its recording is a list of plain operations on tensors, which takes less than half.
"""

import logging
from collections.abc import Callable
from typing import Any

from torch import Tensor

from arith_lightning.population.optimizers import State
from arith_lightning.private import TreeSpec, make_fx, tree_flatten, tree_leaves, tree_unflatten

RECORDING = 100
"""Steps from which recording pays, which costs about as much as so many."""
log = logging.getLogger(__name__)


class Recording:
    """A step that is replayed once it has been taken often with arguments of the same form.

    Args:
        step: takes trees of tensors, returns the state; a function of its arguments and of what never changes.
    """

    def __init__(self, step: Callable[..., State]) -> None:
        self.step = step
        self.taken: dict[Any, int] = {}
        self.known: dict[Any, Callable[..., State]] = {}

    def of(self, count: int, *arguments: Any) -> Callable[..., State]:
        """Return the step, for `count` calls with arguments of the form of these; recorded if that pays."""
        leaves, tree = tree_flatten(arguments)
        form = (tree, *((leaf.shape, leaf.stride(), leaf.dtype, leaf.device) for leaf in leaves))
        self.taken[form] = self.taken.get(form, 0) + count
        if self.taken[form] < RECORDING:
            return self.step
        if form not in self.known:
            self.known[form] = self.recorded(leaves, tree)
        return self.known[form]

    def recorded(self, leaves: list[Tensor], tree: TreeSpec) -> Callable[..., State]:
        """Return the recorded step; the step itself where it depends on the value of a tensor."""
        try:
            graph = make_fx(lambda *leaves: self.step(*tree_unflatten(leaves, tree)))(*leaves)
        except Exception as error:
            log.debug("steps are not recorded: %s", error)
            return self.step
        return lambda *arguments: graph(*tree_leaves(arguments))
