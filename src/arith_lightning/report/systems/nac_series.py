"""A NAC on a series of integers: it adds, it subtracts where the data let it, it does not multiply."""

import torch

from arith_lightning.report.pictures import errors
from arith_lightning.report.system import Results, System
from arith_lightning.trained import Run


def why(results: Results) -> str:
    """Return the reason, with its numbers."""
    wide = results["add, start U(-2, 2)"]
    stuck = results["subtract, as posted"].population
    w = stuck.member(0).weights()["network.weight"].flatten()
    x, _ = stuck.data.evaluation_set("interpolation")
    curvature = torch.linalg.eigvalsh(2 * x.double() @ x.double().T / x.shape[1])
    return (
        "Both weights of a sum have to saturate at 1, which takes as long as tanh and sigmoid take, so the error falls "
        f"as 1 / (rate x steps). From small weights every seed gets there ({results['add'].rate}); from U(-2, 2) the "
        f"rate is {wide.rate} and the worst error {wide.summary['error']['worst']:.2g}: a weight that starts on the far "
        "side of zero has farther to go. Small weights meet the posted bound of 0.005 % at the last step, so the two "
        "rates differ in speed, not in what is learnt. On the posted rows x2 = x1 + 5: the difference is -5 in all of "
        "them and the two inputs say the same. Of the two principal curvatures of the loss one is "
        f"{(curvature[1] / curvature[0]).item():.0e} times the other, nearly along W1 + W2, so descent falls into the "
        f"valley near W1 = -W2 and stays: the first seed ends at W = ({w[0]:.3f}, "
        f"{w[1]:.3f}) and answers nearly 0. With the same numbers in mixed order the valley is gone and "
        f"{results['subtract, mixed order'].rate} of the seeds subtract. Products are out of reach: a NAC is a linear "
        "map with weights in [-1, 1], and the best it does is W = (1, 1)."
    )


NAC_SERIES = System(
    key="S4",
    title="Can a NAC add, subtract, multiply?",
    posted=(
        "2,000 rows x1 = 0, 5, ..., 9995 and x2 = 5, 10, ..., 10000, one NAC, full batch, Adam at 0.05, 22,000 epochs. "
        "Tested on x1 = 1000, 1008, ..., 1992 and x2 = 1000, 1004, ..., 1496: other pairs, inside the training range. "
        "Reported: sums right to 0.005 %; products are not learnt."
    ),
    runs={
        "add": Run("nac_add"),
        "add, start U(-2, 2)": Run("nac_add", ("--model.init_args.init=uniform", "--model.init_args.init_scale=2.0")),
        "subtract, as posted": Run("systems/nac_sub_as_posted"),
        "subtract, mixed order": Run("systems/nac_sub"),
        "multiply": Run("systems/nac_mul"),
    },
    why=why,
    figures={"Error on the test rows over steps: sums, differences, products": errors},
)
