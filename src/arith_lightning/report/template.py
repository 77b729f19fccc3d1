"""Prose with fields, such as `{as posted.rate}` or `{closest:.2f}`: Python's own format strings, filled by name."""

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from arith_lightning.complaint import nearest, require

Facts = Mapping[str, Callable[[], object]]
"""What a field may name, and how it is computed once it is named."""


def fields(text: str) -> list[str]:
    """Return the names of a template's fields, in order.

    Raises:
        ValueError: its braces do not pair.
    """
    try:
        return [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ValueError(f"a page's braces must hold fields; got '{error}'; write {{{{ and }}}} for braces") from error


def examine(text: str, known: Sequence[str]) -> None:
    """Refuse a template with a field that names nothing.

    Raises:
        ValueError: there is one, or braces that do not pair.
    """
    for name in fields(text):
        hint = nearest(name, known)
        require(name in known, "a field must name a fact of its page", f"{{{name}}}{hint}", "write {run.rate} or such")


def fill(text: str, facts: Facts) -> str:
    """Return a template's text with every field filled.

    Raises:
        ValueError: a field names nothing.
    """
    examine(text, list(facts))
    return ByName().vformat(text, (), facts)


class ByName(Formatter):
    """Takes all that stands before a field's format for its name, with the dots and spaces in it."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return what a field names, as `Formatter` wants it."""
        return kwargs[field_name](), field_name
