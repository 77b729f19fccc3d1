"""What a network reaches whose arithmetic is fixed to the solution: the error below which a learnt one is as good.

Where other parts of a network make errors of their own, no epsilon-perfect unit sets a threshold. It is then the upper
end of the one-sided 99 % interval, by Student's t, of the mean error of reference networks over seeds:
`python -m arith_lightning.evaluation.reference logs/<run>/version_0/runs.csv`.

Source: Madsen and Johansen, "Neural Arithmetic Units" (2020), section 4.2.
"""

import argparse
import csv
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from scipy.stats import t

CONFIDENCE = 0.99


def upper_bound(errors: Sequence[float]) -> float:
    """Return the upper end of the one-sided interval of the mean of at least two errors.

    Raises:
        ValueError: there are fewer.
    """
    if len(errors) < 2:
        raise ValueError(f"a bound needs the errors of at least two runs; got {len(errors)}; train more seeds")
    reach = t.ppf(CONFIDENCE, len(errors) - 1) * statistics.stdev(errors) / len(errors) ** 0.5
    return statistics.fmean(errors) + float(reach)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the bound of a finished run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m arith_lightning.evaluation.reference", description=__doc__)
    parser.add_argument("runs", type=Path, help="runs.csv of a run of reference networks")
    path = parser.parse_args(arguments).runs
    try:
        with path.open(newline="") as file:
            bound = upper_bound([float(row["error"]) for row in csv.DictReader(file)])
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{bound:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
