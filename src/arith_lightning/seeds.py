"""Which seeds are whose: what a search has trained on is never what its answer is measured on.

A member's start and batches follow from its seed, so two experiments that share seeds share starts and batches. Runs
and tables count from 0; every part of a search counts from a number of its own. A seed is a 32-bit number, and a list of
seeds that a user gives may hold any: what is written here is what is counted.
"""

WIDTH = 10_000_000
"""Seeds of a range."""
REPORTED = range(WIDTH)
"""`seeds: n` of a run and of a table's rows."""
TRIALS = range(WIDTH, 2 * WIDTH)
"""What scores the trials of a search."""
SELECTION = range(2 * WIDTH, 3 * WIDTH)
"""What tells the best trials apart."""
FRESH = range(3 * WIDTH, 4 * WIDTH)
"""What the setting that wins is measured on."""
CHARTED = range(4 * WIDTH, 5 * WIDTH)
"""What maps and shares of a space are drawn from."""
RANGES = (REPORTED, TRIALS, SELECTION, FRESH, CHARTED)


def first(count: int, of: range) -> range:
    """Return the first seeds of a range.

    Raises:
        ValueError: it has not as many.
    """
    if count > len(of):
        raise ValueError(f"seeds must be at most {len(of):,}, the numbers kept for them; got {count:,}; take fewer")
    return of[:count]
