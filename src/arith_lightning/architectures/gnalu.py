"""Golden-ratio NALU: a NALU whose tanh and sigmoid have the base phi = (1 + sqrt 5) / 2 instead of e.

tanh_phi(u) = tanh(u ln phi) and sigmoid_phi(u) = sigmoid(u ln phi), ln phi = 0.481, in weights and gate. The
multiplicative path phi^(W log_phi(|x| + eps)) is the same function in every base, so all that changes is the slope.

Source: Rana et al. (2019), as in the code of Mistry, Farrahi and Hare, "A Primer for Neural Arithmetic Logic Modules"
(2022).
"""

import math

from arith_lightning.architectures.nalu import NALU, NALULayer


class GNALULayer(NALULayer):
    """Map `(..., in_features)` to `(..., out_features)`; arguments and abilities as for `NALULayer`."""

    slope = math.log((1 + math.sqrt(5)) / 2)


class GNALU(NALU):
    """One `GNALULayer`, trained; arguments as for `NALU`."""

    layer = GNALULayer
