"""Architectures: one file each, the layer with its equation and the `LightningModule` that trains it."""

from arith_lightning.architectures.base import ArithmeticModule
from arith_lightning.architectures.bit_serial import BitSerial, TruthTableLayer
from arith_lightning.architectures.deep_sets import DeepSets, ProductSet, ProductSetLayer
from arith_lightning.architectures.gnalu import GNALU, GNALULayer
from arith_lightning.architectures.inalu import iNALU, iNALULayer
from arith_lightning.architectures.layer import ArithmeticLayer
from arith_lightning.architectures.mcfc import (
    MCFC,
    MCFCLayer,
    MulMCFC,
    MulMCFCLayer,
    MulMCFCSignINALU,
    MulMCFCSignINALULayer,
    MulMCFCSignRealNPU,
    MulMCFCSignRealNPULayer,
)
from arith_lightning.architectures.mlp import MLP, LinearLayer
from arith_lightning.architectures.modified_real_npu import ModifiedRealNPU, ModifiedRealNPULayer
from arith_lightning.architectures.multiplicative_nac import (
    LinearNAC,
    LinearNACLayer,
    MultiplicativeNAC,
    MultiplicativeNACLayer,
    SigmoidNAC,
    SigmoidNACLayer,
)
from arith_lightning.architectures.nac import NAC, NACLayer
from arith_lightning.architectures.nalu import NALU, NALULayer
from arith_lightning.architectures.nau import NAU, NAULayer
from arith_lightning.architectures.network import Network
from arith_lightning.architectures.nmru import NMRU, NMRULayer
from arith_lightning.architectures.nmu import NMU, NMULayer
from arith_lightning.architectures.npu import NPU, NPULayer, RealNPU, RealNPULayer
from arith_lightning.architectures.nru import NRU, NRULayer
from arith_lightning.architectures.operation_mixture import OperationMixture, OperationMixtureLayer
from arith_lightning.architectures.recurrent import RNN, RecurrentLayer
from arith_lightning.architectures.recurrent_unit import ExactLayer, Recurrence, RecurrentUnit
from arith_lightning.architectures.residual_mlp import ResidualLayer, ResidualMLP
from arith_lightning.architectures.sine_network import SineLayer, SineNetwork
from arith_lightning.architectures.sine_parity import SineParity, SineParityLayer
from arith_lightning.architectures.snmu import sNMU, sNMULayer
from arith_lightning.architectures.sparse_stack import SparseStack
from arith_lightning.architectures.stack import Stack

__all__ = [
    "GNALU",
    "MCFC",
    "MLP",
    "NAC",
    "NALU",
    "NAU",
    "NMRU",
    "NMU",
    "NPU",
    "NRU",
    "RNN",
    "ArithmeticLayer",
    "ArithmeticModule",
    "BitSerial",
    "DeepSets",
    "ExactLayer",
    "GNALULayer",
    "LinearLayer",
    "LinearNAC",
    "LinearNACLayer",
    "MCFCLayer",
    "ModifiedRealNPU",
    "ModifiedRealNPULayer",
    "MulMCFC",
    "MulMCFCLayer",
    "MulMCFCSignINALU",
    "MulMCFCSignINALULayer",
    "MulMCFCSignRealNPU",
    "MulMCFCSignRealNPULayer",
    "MultiplicativeNAC",
    "MultiplicativeNACLayer",
    "NACLayer",
    "NALULayer",
    "NAULayer",
    "NMRULayer",
    "NMULayer",
    "NPULayer",
    "NRULayer",
    "Network",
    "OperationMixture",
    "OperationMixtureLayer",
    "ProductSet",
    "ProductSetLayer",
    "RealNPU",
    "RealNPULayer",
    "Recurrence",
    "RecurrentLayer",
    "RecurrentUnit",
    "ResidualLayer",
    "ResidualMLP",
    "SigmoidNAC",
    "SigmoidNACLayer",
    "SineLayer",
    "SineNetwork",
    "SineParity",
    "SineParityLayer",
    "SparseStack",
    "Stack",
    "TruthTableLayer",
    "iNALU",
    "iNALULayer",
    "sNMU",
    "sNMULayer",
]
