"""A NALU on a series of integers: it multiplies from small weights; it rarely divides, where the data let it at all."""

import torch
from torch import Tensor

from arith_lightning.population import Population
from arith_lightning.report.pictures import errors, seeds
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    divide = results["divide, mixed order"].population
    x, _ = divide.data.evaluation_set("interpolation")
    gates = torch.stack([gate(divide, k, x) for k in range(len(divide))])
    additive = ~divide.success & (gates > 0.5)
    return (
        "A NALU multiplies by adding logarithms, and its gate chooses between that path and the sum. From weights and "
        f"gates near zero both paths are open and {results['multiply, as posted'].rate} of the seeds find the product. "
        "The first gradients, of squared errors near 10^15, fill Adam's running mean for good; with gradients clipped to "
        f"norm 1 and a gate that starts half open all do, ten times sooner "
        f"({results['multiply, found setting'].rate}). At a learning rate of 0.001 the weights have not arrived after 22,000 steps "
        f"({results['multiply, rate 0.001'].rate}; the median error is still "
        f"{results['multiply, rate 0.001'].summary['error']['median']:.2g}). On the posted rows quotients are all but 1 "
        f"whatever x is, and {results['divide, as posted'].rate} of the seeds divide. In mixed order quotients reach "
        "2,000 and a few rows are nearly all of the squared error: "
        f"{results['divide, mixed order'].rate} of the seeds are right to 0.1 %, the median error is "
        f"{results['divide, mixed order'].summary['error']['median']:.2g}, and {seeds(divide, additive)} end with the "
        "gate on the sum. The NMU multiplies without logarithm and gate on every seed "
        f"({results['multiply, NMU'].rate}), and the Real NPU, a product of powers without saturation, divides exactly "
        f"from small powers ({results['divide, Real NPU'].rate}; from the published start "
        f"{results['divide, Real NPU, published start'].rate})."
    )


def gate(population: Population, index: int, x: Tensor) -> Tensor:
    """Return the median gate of a member on inputs `(2, n)`; 1 is the additive path."""
    gates = population.member(index).gates(x.mT)
    assert gates is not None
    return gates.median()


NALU_SERIES = System(
    key="S5",
    title="Can a NALU multiply, divide?",
    posted=(
        "The rows of S4, tested inside the training range as there, with y = x1 x2; one NALU, weights from a truncated normal of 0.02, Adam at 0.05, 22,000 "
        "epochs. Reported: products right to seven digits."
    ),
    runs={
        "multiply, as posted": Run("nalu_mul", ("--seeds=256",)),
        "multiply, found setting": Run("nalu_mul_found", ("--seeds=1000", "--compile=true")),
        "multiply, rate 0.001": Run("nalu_mul", ("--model.init_args.learning_rate=0.001",)),
        "multiply, NMU": Run("systems/nmu_series_mul"),
        "divide, as posted": Run("systems/nalu_div_as_posted"),
        "divide, mixed order": Run("systems/nalu_div"),
        "divide, Real NPU": Run("systems/real_npu_series_div"),
        "divide, Real NPU, published start": Run("systems/real_npu_series_div", ("--model.init_args.init_scale=1.0",)),
    },
    why=why,
    figures={
        "Products: error on the test rows over steps": lambda results: errors(
            results, [label for label in results if label.startswith("multiply")]
        ),
        "Quotients: error on the test rows over steps": lambda results: errors(
            results, [label for label in results if label.startswith("divide")]
        ),
    },
)
