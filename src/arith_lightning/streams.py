"""Random numbers as a pure function of (seed, purpose, step, index): Threefry-2x32 with 13 rounds.

Because nothing is carried from one number to the next, a member's numbers depend on its seed and the step alone: the
same member draws the same examples trained alone, among a thousand, or after a resume, on a CPU or a GPU, and `vmap`
and `torch.compile` see only integer arithmetic.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Thirteen rounds are the
fewest that pass the whole BigCrush battery there; the usual twenty add a margin that cryptography wants and cost a
third of the speed of a population.
"""

import enum
import math

import torch
from torch import Tensor

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
ROUNDS = 13


def threefry(key: tuple[Tensor, Tensor], counter: tuple[Tensor, Tensor], rounds: int = ROUNDS) -> tuple[Tensor, Tensor]:
    """Encrypt `counter` under `key`; all four are int32 tensors that broadcast, read as unsigned 32-bit words."""
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for index in range(rounds):
        rotation = ROTATIONS[index // 4 % 2][index % 4]
        a = a + b
        # torch shifts int32 arithmetically; the mask takes off the copied sign bits
        b = (b << rotation | (b >> (32 - rotation)) & ((1 << rotation) - 1)) ^ a
        if index % 4 == 3:
            group = index // 4 + 1
            a = a + keys[group % 3]
            b = b + (keys[(group + 1) % 3] + group)
    return a, b


SEEDS = range(2**31)
"""Seeds that a stream can tell apart."""


class Purpose(enum.IntEnum):
    """What numbers are drawn for; each purpose has its own independent stream."""

    TRAINING = 0
    INITIALIZATION = 1
    INTERPOLATION = 2
    EXTRAPOLATION = 3


class Stream:
    """The numbers of one seed at one step; successive draws continue where the last one ended.

    Args:
        seed: int32 scalar (a tensor, possibly mapped by `vmap`, or an int).
        purpose: what the numbers are for.
        step: int32 scalar like `seed`.
        dtype: floating type of what is drawn; the numbers are the same multiples of 2^-24 in each.
    """

    def __init__(
        self, seed: Tensor | int, purpose: Purpose, step: Tensor | int = 0, dtype: torch.dtype | None = None
    ) -> None:
        self.seed = torch.as_tensor(seed, dtype=torch.int32)
        self.purpose = int(purpose)
        self.step = torch.as_tensor(step, dtype=torch.int32, device=self.seed.device)
        self.dtype = dtype or torch.get_default_dtype()
        self.blocks = 0

    def uniform(self, size: tuple[int, ...], low: Tensor | float = 0.0, high: Tensor | float = 1.0) -> Tensor:
        """Draw from U[low, high), shape `size`."""
        count = math.prod(size)
        half = (count + 1) // 2
        index = torch.arange(self.blocks, self.blocks + half, dtype=torch.int32, device=self.seed.device)
        self.blocks += half
        purpose = torch.full((), self.purpose, dtype=torch.int32, device=self.seed.device)
        words = threefry((self.seed, purpose), (self.step, index))
        # scaled before they are stacked (once less through memory), by one factor (the power of two is exact)
        scale = (high - low) * 2.0**-24
        numbers = [((word >> 8) & 0xFFFFFF).to(self.dtype) * scale + low for word in words]
        return torch.stack(numbers).flatten()[:count].reshape(size)

    def integers(self, size: tuple[int, ...], low: int, high: int) -> Tensor:
        """Draw int64 numbers uniformly from low, ..., high - 1, shape `size`; at most 2^24 different ones."""
        unit = self.uniform(size).double()
        return (unit * (high - low)).floor().long() + low

    def normal(self, size: tuple[int, ...], mean: Tensor | float = 0.0, std: Tensor | float = 1.0) -> Tensor:
        """Draw from N(mean, std^2), shape `size`, through the inverse distribution function."""
        # the largest multiple of 2^-24 plus 2^-25 rounds to 1 in float32, where the inverse is infinite
        unit = (self.uniform(size) + 2.0**-25).clamp(max=1 - 2.0**-24)
        return torch.special.ndtri(unit) * std + mean

    def truncated_normal(self, size: tuple[int, ...], std: Tensor | float = 1.0) -> Tensor:
        """Draw from N(0, std^2) cut off at two standard deviations, shape `size`."""
        tail = 0.5 * math.erfc(math.sqrt(2.0))
        return torch.special.ndtri(self.uniform(size, tail, 1 - tail)) * std


class TorchStream(Stream):
    """The numbers of torch's own generator after `torch.manual_seed(seed)`, for starts equal to a published script's.

    Args:
        seed: the generator's seed.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Purpose.INITIALIZATION)
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, size: tuple[int, ...], low: Tensor | float = 0.0, high: Tensor | float = 1.0) -> Tensor:
        """Draw from U[low, high), shape `size`, as `torch.nn.init.uniform_` does."""
        return torch.empty(size, dtype=self.dtype).uniform_(float(low), float(high), generator=self.generator)

    def normal(self, size: tuple[int, ...], mean: Tensor | float = 0.0, std: Tensor | float = 1.0) -> Tensor:
        """Draw from N(mean, std^2), shape `size`, as `torch.nn.init.normal_` does."""
        return torch.empty(size, dtype=self.dtype).normal_(float(mean), float(std), generator=self.generator)
