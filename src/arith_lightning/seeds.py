"""Which seeds are whose: what a search has trained on is never what its answer is measured on.

A member's start and batches follow from its seed, so two experiments that share seeds share starts and batches. Runs
and tables count from 0; every part of a search counts from a number of its own. A seed is any number from 0 to
2,147,483,647, and a list of seeds in a configuration may hold whichever it likes.
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
REMEDIED = range(5 * WIDTH, 6 * WIDTH)
"""What the best remedy is measured on."""
RANGES = (REPORTED, TRIALS, SELECTION, FRESH, CHARTED, REMEDIED)


def first(count: int, of: range) -> range:
    """Return the first seeds of a range.

    Raises:
        ValueError: it has not as many.
    """
    if count > len(of):
        raise ValueError(f"seeds must be at most {len(of):,}, the numbers kept for them; got {count:,}; take fewer")
    return of[:count]
