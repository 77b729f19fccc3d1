"""Formulas as text, read by a whitelist of what may stand in one and never run as Python.

A formula becomes a tree of plain tuples: `("number", 2.0)`, `("name", "a")`, or the name of an operation before its
parts, `("+", left, right)`. Trees are compared and copied by their content, and computed with elementwise operations
of torch, in double precision, so that they can be mapped over members and compiled.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from arith_lightning.complaint import nearest, require

Tree = tuple[Any, ...]
MOST = 2000
"""Characters of a formula; also keeps the parser from running out of stack."""


def truth(x: Tensor) -> Tensor:
    """Return 1 where a number is not zero, else 0."""
    return (x != 0).to(x.dtype)


def compared(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a comparison whose answers are 0 and 1."""
    return lambda a, b: function(a, b).to(a.dtype)


def chosen(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Return one or the other by whether a condition is not zero."""
    return torch.where(condition != 0, yes, no)


FUNCTIONS: dict[str, tuple[int, Callable[..., Tensor]]] = {
    "+": (2, torch.add),
    "-": (2, torch.sub),
    "*": (2, torch.mul),
    "/": (2, torch.div),
    "**": (2, torch.pow),
    "%": (2, torch.remainder),
    "//": (2, lambda a, b: torch.div(a, b, rounding_mode="floor")),
    "negative": (1, torch.neg),
    "<": (2, compared(torch.lt)),
    "<=": (2, compared(torch.le)),
    ">": (2, compared(torch.gt)),
    ">=": (2, compared(torch.ge)),
    "==": (2, compared(torch.eq)),
    "!=": (2, compared(torch.ne)),
    "and": (2, lambda a, b: truth(a) * truth(b)),
    "or": (2, lambda a, b: torch.maximum(truth(a), truth(b))),
    "not": (1, lambda a: 1 - truth(a)),
    "xor": (2, lambda a, b: (truth(a) - truth(b)).abs()),
    "if": (3, chosen),
    "min": (2, torch.minimum),
    "max": (2, torch.maximum),
    "abs": (1, torch.abs),
    "floor": (1, torch.floor),
    "ceil": (1, torch.ceil),
    "round": (1, torch.round),
    "sign": (1, torch.sign),
    "sqrt": (1, torch.sqrt),
    "exp": (1, torch.exp),
    "log": (1, torch.log),
    "sin": (1, torch.sin),
    "cos": (1, torch.cos),
    "tan": (1, torch.tan),
    "tanh": (1, torch.tanh),
}
"""Operations by name, with how many parts they take; logical ones ask whether a number is not zero."""
CALLED = tuple(name for name in FUNCTIONS if name.isalpha() and name not in ("negative", "and", "or", "not", "if"))
"""Those written as functions; `min` and `max` take two parts or more."""
SYMBOLS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}
CONSTANTS = {"pi": math.pi, "e": math.e}
LOGICAL = ("<", "<=", ">", ">=", "==", "!=", "and", "or", "not", "xor")
"""Operations that answer 0 or 1."""
WAY_OUT = "write numbers, names, + - * / ** % //, comparisons, and, or, not, a if b else c, " + ", ".join(CALLED)


def parse(text: str, names: Mapping[str, Any] | list[str], what: str = "formula") -> Tree:
    """Return the tree of a formula.

    Args:
        text: the formula, in Python's notation.
        names: what may be named in it, beside pi and e where these are not among them.
        what: what it is called in a complaint.

    Raises:
        ValueError: with the part that may not stand there.
    """
    require(isinstance(text, str) and 0 < len(text.strip()) <= MOST, f"{what} must be a text", text, "such as a * b")
    try:
        body = ast.parse(text.strip(), mode="eval").body
        tree = _read(body, list(names), text, what)
        compute(tree, {name: torch.zeros(1, dtype=torch.float64) for name in names})
    except (SyntaxError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or "too many brackets"
        raise ValueError(f"{what} must be one expression; got {text!r} ({reason}); {WAY_OUT}") from error
    return tree


def _read(node: ast.AST, names: list[str], text: str, what: str) -> Tree:
    def within(part: ast.AST) -> Tree:
        return _read(part, names, text, what)

    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        try:
            return ("number", float(node.value))  # type: ignore[arg-type]
        except OverflowError:
            require(False, f"numbers of a {what} must be finite", text, "write a smaller one")
    if isinstance(node, ast.Name):
        if node.id not in names and node.id in CONSTANTS:
            return ("number", CONSTANTS[node.id])
        known = ", ".join(names) or "none"
        rule = f"{what} must name what there is: {known}"
        require(node.id in names, rule, node.id, f"correct it{nearest(node.id, [*names, *CALLED])}")
        return ("name", node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub | ast.Not):
        part = within(node.operand)
        if isinstance(node.op, ast.USub) and part[0] == "number":
            return ("number", -part[1])
        return part if isinstance(node.op, ast.UAdd) else ("not" if isinstance(node.op, ast.Not) else "negative", part)
    if isinstance(node, ast.BinOp) and type(node.op) in SYMBOLS:
        return (SYMBOLS[type(node.op)], within(node.left), within(node.right))
    if isinstance(node, ast.BoolOp):
        return _folded(SYMBOLS[type(node.op)], [within(part) for part in node.values])
    if isinstance(node, ast.Compare) and all(type(op) in SYMBOLS for op in node.ops):
        sides = [within(part) for part in (node.left, *node.comparators)]
        pairs = [(SYMBOLS[type(op)], sides[k], sides[k + 1]) for k, op in enumerate(node.ops)]
        return _folded("and", pairs)
    if isinstance(node, ast.IfExp):
        return ("if", within(node.test), within(node.body), within(node.orelse))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        rule = f"{what} may call only {', '.join(CALLED)}"
        require(
            node.func.id in CALLED, rule, f"{node.func.id} in {text!r}", f"correct it{nearest(node.func.id, CALLED)}"
        )
        return _called(node.func.id, [within(part) for part in node.args], text)
    source = ast.get_source_segment(text.strip(), node) or type(node).__name__
    hint = "write a ** b for a power and xor(a, b) for an exclusive or; " if "^" in source else ""
    raise ValueError(f"{what} must not hold {source!r}; got {text!r}; {hint}{WAY_OUT}")


def _called(name: str, parts: list[Tree], text: str) -> Tree:
    if name in ("min", "max") and len(parts) >= 2:
        return _folded(name, parts)
    count = FUNCTIONS[name][0]
    require(len(parts) == count, f"{name} takes {count} {'part' if count == 1 else 'parts'}", text, "correct it")
    return (name, *parts)


def _folded(name: str, parts: list[Tree]) -> Tree:
    tree = parts[0]
    for part in parts[1:]:
        tree = (name, tree, part)
    return tree


def compute(tree: Tree, values: Mapping[str, Tensor]) -> Tensor:
    """Return what a formula makes of its variables, tensors of one shape and of double precision.

    Args:
        tree: what `parse` returned.
        values: the variables by name.
    """
    if tree[0] == "name":
        return values[tree[1]]
    if tree[0] == "number":
        return torch.full_like(next(iter(values.values())), tree[1])
    if tree[0] == "**" and tree[2][0] == "number":  # a constant exponent has an exact derivative and result
        return torch.pow(compute(tree[1], values), tree[2][1])
    return FUNCTIONS[tree[0]][1](*[compute(part, values) for part in tree[1:]])


def used(tree: Tree) -> set[str]:
    """Return the names in a formula."""
    if tree[0] in ("name", "number"):
        return {tree[1]} if tree[0] == "name" else set()
    return set().union(*(used(part) for part in tree[1:]))
