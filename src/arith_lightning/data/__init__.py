"""Datasets: one file each, what is drawn, what is asked, and what an almost perfect answer is."""

from arith_lightning.data.any_operation import AnyOperation
from arith_lightning.data.arithmetic_task import ArithmeticTask, FourInputTask
from arith_lightning.data.base import ArithmeticDataModule
from arith_lightning.data.binary_multiplication import BinaryMultiplication
from arith_lightning.data.bit_parity import BitParity
from arith_lightning.data.formula import Formula
from arith_lightning.data.four_functions import FourFunctions
from arith_lightning.data.handwritten_digits import HandwrittenDigits
from arith_lightning.data.integer_pairs import IntegerPairs
from arith_lightning.data.integer_parity import IntegerParity
from arith_lightning.data.modular_arithmetic import ModularArithmetic
from arith_lightning.data.number_sequences import NumberSequences
from arith_lightning.data.operand_task import OperandTask
from arith_lightning.data.operations import OPERATIONS
from arith_lightning.data.random_partition import RandomPartition
from arith_lightning.data.scalar_identity import ScalarIdentity
from arith_lightning.data.scaled_interpolation import ScaledInterpolation
from arith_lightning.data.sequence_parity import SequenceParity
from arith_lightning.data.series import IntegerSeries
from arith_lightning.data.sets import NumberSets
from arith_lightning.data.single_module import SingleModuleTask
from arith_lightning.data.table import Table

__all__ = [
    "OPERATIONS",
    "AnyOperation",
    "ArithmeticDataModule",
    "ArithmeticTask",
    "BinaryMultiplication",
    "BitParity",
    "Formula",
    "FourFunctions",
    "FourInputTask",
    "HandwrittenDigits",
    "IntegerPairs",
    "IntegerParity",
    "IntegerSeries",
    "ModularArithmetic",
    "NumberSequences",
    "NumberSets",
    "OperandTask",
    "RandomPartition",
    "ScalarIdentity",
    "ScaledInterpolation",
    "SequenceParity",
    "SingleModuleTask",
    "Table",
]
