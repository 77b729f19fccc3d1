"""Which tensor the name of a setting points to."""

from collections.abc import Mapping, Sequence

from torch import Tensor


def locate(name: str, groups: Sequence[Mapping[str, Tensor]]) -> tuple[int, str]:
    """Return which group of tensors holds `name`, and under which full name: exact, or the one that ends in `.name`."""
    for index, group in enumerate(groups):
        if name in group:
            return index, name
        matches = [key for key in group if key.endswith(f".{name}")]
        if len(matches) == 1:
            return index, matches[0]
    known = sorted({key.rpartition(".")[2] for group in groups for key in group})
    raise ValueError(
        f"a setting must name a scalar that may differ between members; got {name!r}; expected one of {known}"
    )
