"""Architectures: one file each, the layer with its equation and the `LightningModule` that trains it."""

from arith_lightning.architectures.base import ArithmeticLayer, ArithmeticModule
from arith_lightning.architectures.bit_serial import BitSerial, TruthTableLayer
from arith_lightning.architectures.deep_sets import DeepSets, ProductSet, ProductSetLayer
from arith_lightning.architectures.mlp import MLP, LinearLayer
from arith_lightning.architectures.nac import NAC, NACLayer
from arith_lightning.architectures.nalu import NALU, NALULayer
from arith_lightning.architectures.nau import NAU, NAULayer
from arith_lightning.architectures.nmu import NMU, NMULayer
from arith_lightning.architectures.npu import NPU, NPULayer, RealNPU, RealNPULayer
from arith_lightning.architectures.operation_mixture import OperationMixture, OperationMixtureLayer
from arith_lightning.architectures.recurrent import RNN, RecurrentLayer
from arith_lightning.architectures.recurrent_unit import ExactLayer, Recurrence, RecurrentUnit
from arith_lightning.architectures.residual_mlp import ResidualLayer, ResidualMLP
from arith_lightning.architectures.sine_network import SineLayer, SineNetwork
from arith_lightning.architectures.sine_parity import SineParity, SineParityLayer

__all__ = [
    "MLP",
    "NAC",
    "NALU",
    "NAU",
    "NMU",
    "NPU",
    "RNN",
    "ArithmeticLayer",
    "ArithmeticModule",
    "BitSerial",
    "DeepSets",
    "ExactLayer",
    "LinearLayer",
    "NACLayer",
    "NALULayer",
    "NAULayer",
    "NMULayer",
    "NPULayer",
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
    "SineLayer",
    "SineNetwork",
    "SineParity",
    "SineParityLayer",
    "TruthTableLayer",
]
