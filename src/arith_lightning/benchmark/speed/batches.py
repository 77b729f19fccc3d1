"""Batches as a tutorial draws them, from torch's own generator: inputs `(examples, features)` and their targets."""

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]


def operands(size: int) -> Tensor:
    """Draw pairs from U[1, 2)."""
    return torch.rand(size, 2) + 1


def products(size: int) -> Batch:
    """Draw pairs and their products."""
    x = operands(size)
    return x, x.prod(1, keepdim=True)


def sums(size: int) -> Batch:
    """Draw pairs and their sums."""
    x = operands(size)
    return x, x.sum(1, keepdim=True)


def bits(size: int, width: int = 16) -> Batch:
    """Draw rows of bits -1 and 1, and whether an odd number of them is set."""
    x = torch.randint(0, 2, (size, width)).float()
    return 2 * x - 1, x.sum(1, keepdim=True) % 2


def binary_products(size: int, width: int = 8) -> Batch:
    """Draw the bits of two numbers, and those of their product."""
    numbers = torch.randint(0, 2**width, (size, 2))
    places = torch.arange(width - 1, -1, -1)
    x = (numbers.unsqueeze(-1) >> places & 1).flatten(1).float() - 0.5
    wide = torch.arange(2 * width - 1, -1, -1)
    return x, (numbers.prod(1, keepdim=True) >> wide & 1).float()


def sequences(size: int, length: int = 10) -> Batch:
    """Draw sequences of symbols -1 and 1 of each length, padded by 0, and their parity."""
    x = 1 - 2 * torch.randint(0, 2, (size, length)).float()
    x = torch.where(torch.arange(length) < torch.randint(1, length + 1, (size, 1)), x, 0.0)
    return x, (x > 0).sum(1, keepdim=True).float() % 2


def sets(size: int, places: int = 5) -> Batch:
    """Draw sets of each size, numbers from U[0.5, 2) and then the mask, and their products."""
    mask = torch.arange(places) < torch.randint(1, places + 1, (size, 1))
    x = 1.5 * torch.rand(size, places) + 0.5
    return torch.cat([x * mask, mask.float()], 1), torch.where(mask, x, 1.0).prod(1, keepdim=True)


def windows(size: int, features: int = 100) -> Batch:
    """Draw inputs from U[1, 2), and the products of the sums of two windows of 25 that share 12."""
    x = torch.rand(size, features) + 1
    return x, x[:, :25].sum(1, keepdim=True) * x[:, 13:38].sum(1, keepdim=True)
