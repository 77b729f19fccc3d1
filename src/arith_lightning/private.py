"""Every private name of torch, its compiler, Lightning and TensorBoard that this project leans on.

Each says what breaks without it and which test tells. Two more are overridden where they belong: `_apply` in
`Population` (its tensors move with it: test_double_precision), and `_parse_ckpt_path` in `ArithmeticCLI` (checkpoints
of populations hold no arguments: tests/malformed). Tested with torch 2.13, Lightning 2.6 and TensorBoard 2.21.
"""

import inspect
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from lightning import Trainer
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch._guards import detect_fake_mode
from torch._higher_order_ops.while_loop import while_loop
from torch._inductor import config as inductor
from torch._inductor import cpp_builder
from torch._inductor.exc import InductorError
from torch._inductor.runtime.cache_dir_utils import default_cache_dir
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import TreeSpec, tree_flatten, tree_leaves, tree_map, tree_unflatten
from torch.utils.tensorboard import SummaryWriter

__all__ = [
    "InductorError",
    "TorchDynamoException",
    "TreeSpec",
    "default_cache_dir",
    "make_fx",
    "tree_flatten",
    "tree_leaves",
    "tree_map",
    "tree_unflatten",
    "while_loop",
]
"""`while_loop`: steps loop inside one graph; without it each is a call (test_compiled_steps_equal_eager_ones).
`InductorError`: a program that a kill has torn is compiled again (test_a_torn_program_is_compiled_again).
`TorchDynamoException`: a network that cannot be compiled is trained without (test_what_cannot_be_compiled_is_trained).
`default_cache_dir`: tells the user's own cache from torch's (test_compiled_steps_are_kept_where_only_the_user_writes).
`make_fx`: records the operations of a step (test_recorded_steps_are_the_steps).
`tree_leaves`, `tree_map`, `tree_flatten`, `tree_unflatten`, `TreeSpec`: the tensors in nested arguments."""


def cache_loops() -> None:
    """Let graphs with a loop be kept on disk; without this mark each process compiles anew (test_bits)."""
    loop = torch.ops.higher_order.while_loop
    inductor.unsafe_marked_cacheable_functions[f"{loop.__module__}.{loop.__name__}"] = torch.__version__


def with_constants() -> AbstractContextManager[Any]:
    """Keep plain numbers of a module constants, also where an earlier graph of the same process had other ones.

    Without it such graphs fail (test_graphs_of_one_process_may_differ_in_a_plain_number).
    """
    options = {"specialize_float": True, "specialize_int": True, "automatic_dynamic_shapes": False}
    return torch._dynamo.config.patch(options)


class Compiled:
    """A function compiled as one graph by torch's default compiler, which checks nothing when the graph is called.

    Args:
        function: what is compiled, at the first call.
        products: whether it is mostly products of matrices, between which values that are read more than once are best
            kept; otherwise whatever takes few operations is computed again where it is read.

    Attributes:
        constants: lengths of the first call that the graph took for constants: some operations, such as `torch.cat` and
            `layer_norm`, are mapped over a known number of members only. Without these, graphs are silently wrong for
            another number (test_graphs_of_one_number_of_members_are_noticed).
    """

    def __init__(self, function: Callable[..., Any], products: bool = False) -> None:
        self.constants: set[int] = set()
        kept = {"realize_opcount_threshold": 6, "realize_reads_threshold": 2} if products else {}
        self.options = {"size_asserts": False, "realize_opcount_threshold": 20} | kept
        options: dict[str, Any] = {"guard_filter_fn": lambda guards: [False for _ in guards]}
        self.graph = torch.compile(function, fullgraph=True, backend=self.backend, options=options)

    def backend(self, graph: Any, inputs: list[Any]) -> Callable[..., Any]:
        """Compile what was traced, and notice which lengths were taken for constants on the way."""
        from torch._inductor.compile_fx import compile_fx  # half a second, spared where nothing is compiled

        made: Any = compile_fx(graph, inputs, config_patches=self.options)
        mode: Any = detect_fake_mode(inputs)
        known = mode.shape_env.replacements
        self.constants = {int(length) for length in known.values() if length.is_number}
        return made

    def __call__(self, *arguments: Any) -> Any:
        """Call the graph."""
        return self.graph(*arguments)


def allow_lengths(tensor: Tensor, axis: int) -> None:
    """Let a graph take tensors of another length along an axis.

    Without it the graph is wrong for another number of members (test_compiled_steps_equal_eager_ones).
    """
    torch._dynamo.maybe_mark_dynamic(tensor, axis % tensor.dim())


def quote_paths() -> None:
    """Quote the folders that torch hands to the C++ compiler as they are, so that they may have spaces in them.

    Without it nothing compiles in such a folder (test_paths_with_spaces_are_quoted).
    """
    if not any(" " in path for path in (torch.__file__, sys.prefix, sys.base_prefix)):
        return
    command = inspect.getsource(cpp_builder.CppBuilder)
    for name, unquoted in (("get_include_dirs", "-I{inc_dir}"), ("get_libraries_dirs", "-L{lib_dir}")):
        given = getattr(cpp_builder.BuildOptionsBase, name)
        if unquoted in command and given.__name__ != quoted.__name__:
            setattr(cpp_builder.BuildOptionsBase, name, quoted(given))


def quoted(paths: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    """Return a method that gives the same paths, quoted for a shell."""

    def quoted(options: Any) -> list[str]:
        return [shlex.quote(path) for path in paths(options)]

    return quoted


def count_steps(trainer: Trainer, count: int) -> None:
    """Have Lightning count optimizer steps that it did not take; else no run ends (test_max_steps_holds)."""
    progress = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress.total
    progress.ready += count
    progress.completed += count


def write_summary(writer: SummaryWriter, summary: Summary) -> None:
    """Write a summary as it is; without it there is no table of hyperparameters (test_dashboard)."""
    writer._get_file_writer().add_summary(summary)
