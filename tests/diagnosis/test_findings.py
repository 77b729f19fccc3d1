"""Every finding, on evidence made to show it and on evidence that differs in that alone."""

import pytest
import torch

from arith_lightning.diagnosis import ORDER, diagnose
from arith_lightning.diagnosis.evidence import Evidence, Family
from arith_lightning.remedies import panel

M, N = 10, 64
X = torch.stack([torch.linspace(-1, 1, N), torch.linspace(-1, 1, N).roll(N // 3)]).expand(M, 2, N)
Y = (X[:, :1] * X[:, 1:]).clone()
STEPS = torch.arange(1, 9, dtype=torch.float64) * 100
RELU = {"units": {"a": torch.rand(M, 5, N) + 0.1}, "kinds": {"a": "ReLU"}}


def full(value):
    return torch.full((M,), float(value), dtype=torch.float64)


def made(**changes):
    """Members that are half right, and that every finding but the last two passes over."""
    y = changes.get("y", Y)
    variance = y.double().var(2, correction=0).mean(1)
    error = 0.5 * variance
    healthy = {
        "x": X,
        "y": y,
        "answer": 0.5 * y + 0.05 * X[:, :1],
        "diverged": torch.zeros(M, dtype=torch.bool),
        "fit_error": error,
        "constant_error": variance,
        "threshold": full(1e-5),
        "inside": error,
        "outside": error,
        "variance": variance,
        "outside_variance": variance,
        "learning_rate": full(0.01),
        "judge": lambda answers, targets: (answers - targets).square().mean().double(),
        "steps": STEPS,
        "errors": error * torch.tensor([1.2, 1.0, 1.1, 1.0, 1.1, 1.0, 0.99, 1.0], dtype=torch.float64).unsqueeze(1),
        "gradient": {"a": full(0.1), "b": full(0.1), "c": full(0.1)},
        "affine": True,
    }
    return Evidence(**(healthy | changes))


def main(**changes):
    """Return the main finding of all members."""
    found = diagnose(made(**changes))
    assert len(found) <= 1, [each.finding.name for each in found]
    return found[0].finding.name if found else None


def name(finding):
    return finding.finding.name


def right(scale=1e-4):
    """Members that are right inside."""
    return {"answer": Y + 0.0, "inside": scale * made().variance, "fit_error": scale * made().variance}


def test_members_that_only_rest_are_stuck():
    assert main() == "stuck"


falling = made().inside * torch.tensor([8.0, 6, 4, 3, 2.5, 2, 1.4, 1], dtype=torch.float64).unsqueeze(1)
bouncing = made().inside * torch.tensor([8.0, 6, 1, 9, 1, 9, 1, 9], dtype=torch.float64).unsqueeze(1)
bits = torch.tensor([[0.0, 0, 1, 1], [0, 1, 0, 1]]).repeat(1, N // 4).expand(M, 2, N)
xor = (bits[:, :1] - bits[:, 1:]).abs()
corners = (2 * bits - 1) * torch.linspace(0.5, 1, N)
lines = {"family": Family(linear=True)}
jump = torch.tensor([0.0, 1.0]).repeat(N // 2).expand(M, 1, N)
counted = torch.arange(N).float().expand(M, 1, N) / N
wide = {"family": Family(low=-1.0, high=1.0)}
dark = torch.rand(M, 5, N) + 0.1
dark[:, :2] = 0
many = torch.rand(M, 20, N) + 0.1
many[:, :15] = 0
flat = {"units": {"a": torch.ones(M, 5, N)}, "kinds": {"a": "Tanh"}}
same = torch.full_like(Y, 0.7)
grown = made().variance * 50
torn = X[..., : N // 2].repeat(1, 1, 2)


@pytest.mark.parametrize(
    ("expected", "shows", "does_not"),
    [
        ("diverged", {"diverged": torch.ones(M, dtype=torch.bool)}, {}),
        ("out of precision", {"rounding": 1e-4, **right()}, {"rounding": 1e-6, **right()}),
        (
            "strange inputs",
            {"strange": ("x1",), **right()},
            {**right(), "outside": right()["inside"], "strange": ("x1",)},
        ),
        (
            "right inside wrong outside",
            {"beyond": 0.5, **right()},
            {"beyond": 0.5, **right(), "outside": right()["inside"]},
        ),
        ("learnt by heart", {"fixed": True, **right()}, {"fixed": True, **right(), "outside": right()["inside"]}),
        ("linear network", {**lines}, {**lines, "y": X[:, :1] + X[:, 1:]}),
        (
            "symmetric network",
            {"family": Family(symmetry=-1), "x": X[:, :1], "y": X[:, :1].square()},
            {"family": Family(symmetry=-1), "x": X[:, :1], "y": X[:, :1] ** 3},
        ),
        (
            "symmetric network",
            {"family": Family(symmetry=1), "x": X[:, :1], "y": X[:, :1] ** 3},
            {"family": Family(symmetry=1), "x": X[:, :1], "y": X[:, :1].square()},
        ),
        (
            "sign lost",
            {"family": Family(signless=True), "x": corners, "y": corners[:, :1] * corners[:, 1:]},
            {"family": Family(signless=True), "x": corners, "y": corners[:, :1] + corners[:, 1:]},
        ),
        ("targets out of range", {"family": Family(low=0.0)}, wide),
        ("contradictory rows", {"fixed": True, "x": torn}, {"fixed": True}),
        (
            "dead output",
            {"answer": same, "gradient": {"a": full(0), "b": full(0)}},
            {"gradient": {"a": full(0), "b": full(0)}},
        ),
        ("jagged target", {"x": counted, "y": jump}, {"x": counted, "y": counted.square()}),
        ("unscaled inputs", {"x": 1000 * X}, {"x": 1000 * X, "affine": False}),
        (
            "saturated gates",
            {"gates": torch.tensor([[1e-4, 1 - 1e-4]]).expand(M, 2)},
            {"gates": torch.tensor([[1e-4, 0.5]]).expand(M, 2)},
        ),
        (
            "vanishing gradient",
            {"gradient": {"a": full(1e-6), "b": full(1e-3), "c": full(1)}},
            {"gradient": {"a": full(0.02), "b": full(1e-1), "c": full(1)}},
        ),
        (
            "exploding gradient",
            {"gradient": {"a": full(1e4), "b": full(1e3), "c": full(1)}},
            {"gradient": {"a": full(20), "b": full(10), "c": full(1)}},
        ),
        ("unscaled targets", {"y": 1000 * Y}, {"y": 1000 * Y, "affine": False}),
        ("unscaled targets", {"y": 0.05 * Y + 0.5, "family": Family(low=0.0, high=1.0)}, wide),
        ("constant output", {"answer": same}, {"answer": same + 0.01 * X[:, :1]}),
        ("saturated units", flat, {"units": {"a": torch.rand(M, 5, N) - 0.5}, "kinds": {"a": "Tanh"}}),
        ("too large a step", {"errors": bouncing}, {"errors": bouncing[:4], "steps": STEPS[:4]}),
        ("too large a step", {"inside": grown, "fit_error": grown}, {}),
        ("dead hidden units", {"units": {"a": dark}, "kinds": {"a": "ReLU"}}, RELU),
        (
            "dead hidden units",
            {"units": {"a": torch.zeros(M, 5, N)}, "kinds": {"a": "ReLU"}},
            {"units": {"a": many}, "kinds": {"a": "ReLU"}},
        ),
        (
            "no better than a constant",
            {"inside": made().variance, "fit_error": made().variance},
            {"inside": 0.98 * made().variance},
        ),
        (
            "no better than a constant",
            {"share": True, "fit_error": full(0.3), "constant_error": full(0.3), "threshold": full(0.01)},
            {"share": True, "fit_error": full(0.2), "constant_error": full(0.3), "threshold": full(0.01)},
        ),
        ("still falling", {"errors": falling}, {"errors": falling[:3], "steps": STEPS[:3]}),
        ("collinear inputs", {"parted": ("x1", "x2"), **right()}, {"parted": ("x1", "x2")}),
    ],
)
def test_a_finding_is_made_where_it_holds_and_nowhere_else(expected, shows, does_not):
    assert main(**shows) == expected
    assert main(**does_not) != expected


def test_every_finding_is_tested_both_ways():
    [cases] = [mark for mark in test_a_finding_is_made_where_it_holds_and_nowhere_else.pytestmark]
    assert {case[0] for case in cases.args[1]} | {"stuck"} == {finding.name for finding in ORDER}


def test_xor_is_beyond_any_line_and_or_is_not():
    asked = {**lines, "x": bits, "share": True, "threshold": full(0.01), "constant_error": full(0.5)}
    wrong = {"judge": lambda a, t: ((a > 0.5) != (t > 0.5)).double().mean(), "fit_error": full(0.5)}
    assert main(**asked, **wrong, y=xor) == "linear network"
    assert main(**asked, **wrong, y=bits.amax(1, keepdim=True)) != "linear network"


def test_members_are_counted_under_one_finding_each():
    diverged = torch.arange(M) < 3
    gates = torch.full((M, 1), 0.5)
    gates[2:7] = 1e-5
    found = diagnose(made(diverged=diverged, gates=gates))
    assert [(name(each), each.members, each.of) for each in found] == [
        ("saturated gates", 4, M),
        ("diverged", 3, M),
        ("stuck", 3, M),
    ]
    assert found[0].sentence.startswith("4 of 10 unsolved networks have every gate within 0.001 of 0 or 1")


def test_what_is_told_has_the_numbers():
    [told] = diagnose(made(**lines))
    x, y = X[0].double(), Y[0].double()
    rows = torch.cat([x, torch.ones_like(x[:1])]).mT
    least = (rows @ torch.linalg.lstsq(rows, y.mT).solution - y.mT).square().mean().item()
    assert f"error of {least:.3g}, by least squares" in told.sentence
    [told] = diagnose(made(errors=falling))
    # 2.25 to 1.2 between medians 200 steps apart, both lower halves: 2 to 1
    assert "it halves every 200 steps" in told.sentence


@pytest.mark.parametrize("finding", ORDER, ids=lambda finding: finding.name)
def test_a_finding_is_explained_and_names_remedies_that_there_are(finding):
    assert "Recognised" in finding.page
    assert set(finding.remedies) <= set(panel.load())
