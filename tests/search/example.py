"""A small space that is right, to be changed."""

import copy

RATE = "model.init_args.learning_rate"
GOOD = {
    "base": "configs/sine_parity.yaml",
    "steps": 5,
    "seeds": 2,
    "trials": 4,
    "space": {
        RATE: {"low": 1.0e-3, "high": 1.0, "log": True},
        "model.init_args.optimizer": {"choices": ["adam", "sgd"]},
    },
    "map": {"x": RATE, "y": RATE},
}


def changed(**changes):
    return copy.deepcopy(GOOD) | changes
