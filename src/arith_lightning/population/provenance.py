"""What a checkpoint is of: told as text by name, compared, and refused where it is of something else."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

TOLD = 3
"""Differences that a refusal names."""
LONGEST = 60
"""Characters of a fact that is told whole."""


def described(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return facts as texts of a line each, equal only where the facts are: themselves, or a start and a digest."""
    texts = {name: str(fact) for name, fact in facts.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest()[:8] for name, text in texts.items()}
    return {
        name: text if len(text) <= LONGEST else f"{text[: LONGEST - 20]}... ({digests[name]})"
        for name, text in texts.items()
    }


def refuse(mine: Mapping[str, str], other: Mapping[str, str]) -> None:
    """Refuse a checkpoint that is described otherwise.

    Raises:
        ValueError: with what differs.
    """
    changed = [name for name in {**mine, **other} if mine.get(name) != other.get(name)]
    if changed:
        told = "; ".join(f"{name}: {other.get(name)}, here {mine.get(name)}" for name in changed[:TOLD])
        raise ValueError(
            f"a checkpoint must be of the same population; got one that differs in {told}"
            f"{'; ...' if changed[TOLD:] else ''}; go on with the configuration that wrote it"
        )


def trained_in(precision: Any, otherwise: torch.dtype) -> torch.dtype:
    """Return the type of numbers in a trainer of a precision, which converts a module after loading a checkpoint."""
    return torch.float64 if str(precision) in ("64", "64-true") else otherwise
