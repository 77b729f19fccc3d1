"""The nine systems, one file each."""

from arith_lightning.report.systems.binary_multiplication import BINARY_MULTIPLICATION
from arith_lightning.report.systems.deep_sets import DEEP_SETS
from arith_lightning.report.systems.identity import IDENTITY
from arith_lightning.report.systems.integer_pairs import INTEGER_PAIRS
from arith_lightning.report.systems.interpolation import INTERPOLATION
from arith_lightning.report.systems.nac_series import NAC_SERIES
from arith_lightning.report.systems.nalu_series import NALU_SERIES
from arith_lightning.report.systems.operation_mixture import OPERATION_MIXTURE
from arith_lightning.report.systems.parity import PARITY

SYSTEMS = (
    BINARY_MULTIPLICATION,
    OPERATION_MIXTURE,
    DEEP_SETS,
    NAC_SERIES,
    NALU_SERIES,
    IDENTITY,
    INTEGER_PAIRS,
    INTERPOLATION,
    PARITY,
)
