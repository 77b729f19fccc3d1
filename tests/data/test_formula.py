import math

import pytest
import torch

from arith_lightning.architectures import MLP, NMU
from arith_lightning.data import Formula, SingleModuleTask
from arith_lightning.data.encoding import encoding
from arith_lightning.data.expression import compute, parse
from arith_lightning.population import Population
from arith_lightning.testing import DatasetContract


class TestFormula(DatasetContract):
    others = {
        "formula": ["a + b"],
        "formulas": [["a", "a - b"]],
        "variables": [{"a": [1.0, 3.0], "b": [1.0, 2.0]}],
        "test_variables": [{"a": [2.0, 4.0]}],
        "integers": [["a"]],
        "encode": [{"a": "sines(2)"}],
        "criterion": ["relative"],
        "tolerance": [0.5],
        "scale_inputs": ["range"],
        "scale_targets": ["range"],
    }

    @pytest.fixture
    def data(self):
        return Formula


A, B = (
    torch.tensor([7.0, -7.0, 0.0, 2.5], dtype=torch.float64),
    torch.tensor([3.0, 3.0, 2.0, -2.0], dtype=torch.float64),
)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("a + b * 2 - -a", lambda a, b: a + b * 2 + a),
        ("a / b", lambda a, b: a / b),
        ("a ** 2 + b**2", lambda a, b: a**2 + b**2),
        ("2 ** b", lambda a, b: 2**b),
        ("a % b", lambda a, b: a % b),
        ("a // b", lambda a, b: a // b),
        ("a % 2 == 1", lambda a, b: float(a % 2 == 1)),
        ("0 < a <= 7", lambda a, b: float(0 < a <= 7)),
        ("a > b and not a == 7", lambda a, b: float(a > b and a != 7)),
        ("a > 0 or b > 0", lambda a, b: float(a > 0 or b > 0)),
        ("xor(a > 0, b > 0)", lambda a, b: float((a > 0) ^ (b > 0))),
        ("a and b", lambda a, b: float(a != 0 and b != 0)),
        ("max(a, b, 1) - min(a, b)", lambda a, b: max(a, b, 1) - min(a, b)),
        (
            "abs(a) + floor(a) + ceil(b) + sign(a)",
            lambda a, b: abs(a) + math.floor(a) + math.ceil(b) + (a > 0) - (a < 0),
        ),
        ("a if a > b else b", max),
        ("sqrt(abs(a)) + exp(b) + log(abs(b))", lambda a, b: abs(a) ** 0.5 + math.exp(b) + math.log(abs(b))),
        (
            "sin(pi * a) + cos(e * b) + tanh(a)",
            lambda a, b: math.sin(math.pi * a) + math.cos(math.e * b) + math.tanh(a),
        ),
        ("3", lambda a, b: 3.0),
    ],
)
def test_formulas_are_computed_as_python_would(text, python):
    found = compute(parse(text, ["a", "b"]), {"a": A, "b": B}).tolist()
    assert found == pytest.approx([python(a, b) for a, b in zip(A.tolist(), B.tolist(), strict=True)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"formula": "a * c"}, "formula must name what there is: a, b; got c;"),
        ({"formula": "sqr(a)"}, "may call only xor, min, max"),
        ({"formula": "a ^ b"}, "must not hold 'a ^ b'; got 'a ^ b'; write a ** b for a power and xor(a, b)"),
        ({"formula": "a.b"}, "must not hold 'a.b'"),
        ({"formula": "[a]"}, "must not hold '[a]'"),
        ({"formula": "(lambda: a)()"}, "must not hold '(lambda: a)()'"),
        ({"formula": "a = 2"}, "must be one expression"),
        ({"formula": "a * "}, "must be one expression"),
        ({"formula": "'a'"}, "must not hold \"'a'\""),
        ({"formula": "True"}, "must not hold 'True'"),
        ({"formula": "sqrt(a, b)"}, "sqrt takes 1 part"),
        ({"formula": "(" * 500 + "a" + ")" * 500}, "must be one expression"),
        ({"formula": "-" * 1900 + "a"}, "must be one expression"),
        ({"formula": ""}, "must be a text"),
        (
            {"formula": "log(a)", "variables": {"a": [0, 1]}},
            "finite in the training range, its ends and zero included; got none at a = 0;",
        ),
        ({"formula": "1 / a", "variables": {"a": [-1, 1]}}, "none at a = 0"),
        ({"formula": "sqrt(a)", "variables": {"a": [0, 1]}, "test_variables": {"a": [-1, 1]}}, "in the test range"),
        ({"variables": {"a": [2, 1], "b": [0, 1]}}, "the range of a must have finite low < high"),
        (
            {"formula": "a", "variables": {"a": 3}},
            "the range of a must be [low, high], two numbers, or a list of such; got 3;",
        ),
        ({"formula": "a", "variables": {"a": ["x", 3]}}, "a list of such; got ['x', 3];"),
        ({"formula": "a", "variables": {"a": [1, 2, 3]}}, "a list of such; got [1, 2, 3];"),
        ({"formula": "a", "variables": {"a": [[1, 2], [3]]}}, "a list of such; got [[1, 2], [3]];"),
        ({"test_variables": {"c": [0, 1]}}, "test_variables must be variables: a, b; got c"),
        ({"integers": ["c"]}, "integers must be variables"),
        ({"integers": ["a"], "variables": {"a": [0.5, 2], "b": [0, 1]}}, "must have integer ends"),
        ({"integers": ["a"], "variables": {"a": [0, 300], "b": [0, 1]}, "encode": {"a": "bits(8)"}}, "0 to 255; got"),
        ({"formula": "a", "formulas": ["b"]}, "formula or formulas"),
        ({"criterion": "mse"}, "needs a tolerance"),
        ({"criterion": "wrong"}, "targets of 0 and 1"),
        ({"tolerance": 0.0}, "positive and finite"),
        ({"scale_inputs": "unit"}, "scaling must be"),
    ],
)
def test_a_fault_is_one_clear_sentence(given, message):
    with pytest.raises(ValueError) as told:  # noqa: PT011
        Formula(**given)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_variables_are_drawn_from_their_ranges_and_integers_with_both_ends():
    data = Formula(
        "a + b", variables={"a": [[0, 2], [7, 8]], "b": [-1, 1]}, test_variables={"a": [10, 11]}, integers=["a"]
    )
    x, y = data.evaluation_set("interpolation")
    assert torch.equal(y[0], x.sum(0))
    values, counts = x[0].unique(return_counts=True)
    assert values.tolist() == [0, 1, 2, 7, 8]
    assert counts.min() > 1800
    assert (x[1].min() >= -1) & (x[1].max() < 1)
    assert {*data.evaluation_set("extrapolation")[0][0].tolist()} == {10.0, 11.0}


@pytest.mark.parametrize(
    ("text", "operation"), [("a + b", "add"), ("a * b", "mul"), ("a / b", "div"), ("a ** 2", "square")]
)
def test_known_operations_are_judged_as_the_published_tasks(text, operation):
    published = SingleModuleTask(operation, [1.0, 2.0], [2.0, 6.0])
    data = Formula(text, test_variables={"a": [2, 6], "b": [2, 6]})
    assert data.criterion.squared
    assert data.threshold({}) == pytest.approx(published.threshold(published.columns()).item())


def test_operands_come_in_the_order_of_the_formula():
    ranges = {"a": [2.0, 6.0], "b": [1.0, 2.0]}
    swapped = {"b": [2.0, 6.0], "a": [1.0, 2.0]}
    assert Formula("b / a", variables=ranges).threshold({}) == Formula("a / b", variables=swapped).threshold({})
    assert Formula("b / a", variables=ranges).threshold({}) != Formula("a / b", variables=ranges).threshold({})


def test_others_are_judged_by_a_tolerance():
    assert Formula("a * b + 1").criterion.name == "1 - R^2"
    assert Formula("a > b").criterion.name == "share of wrong rows"
    assert Formula("a * b", tolerance=0.1, criterion="mse").threshold({}) == 0.1


def test_errors_of_each_kind():
    y = torch.tensor([[1.0, 2.0, 4.0, 5.0]])
    off = torch.tensor([[0.0, 0.0, 1.0, 0.0]])
    errors = {"mse": 0.25, "largest": 1.0, "relative": 0.0, "r2": 0.25 / 2.5, "rounded": 0.25}
    for kind, error in errors.items():
        data = Formula("a * b", criterion=kind, tolerance=0.5)
        assert data.judge(y + off, y).item() == pytest.approx(error)
        assert not data.judge(y + torch.nan, y) < 0.6


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("bits(4)", [[0, 0, 0, 1], [1, 1, 0, 1]]),
        ("digits(2)", [[0, 1 / 9], [1 / 9, 3 / 9]]),
        ("sines(4)", [[1, 0], [1, 0]]),
    ],
)
def test_integers_are_encoded(text, rows):
    found = encoding("a", text).of(torch.tensor([1.0, 13.0], dtype=torch.float64))
    assert torch.allclose(found.T, torch.tensor(rows, dtype=torch.float64), atol=1e-12)


def test_one_hot_and_bits_stand_side_by_side_with_scaled_numbers():
    data = Formula(
        "a + b + c",
        variables={"a": [0, 4], "b": [0, 7], "c": [10, 20]},
        integers=["a", "b"],
        encode={"a": "one_hot(5)", "b": "bits(3)"},
        scale_inputs="range",
        scale_targets="standard",
    )
    assert data.in_features == 5 + 3 + 1
    x, y = data.training_batch(0)
    a, b = x[:, :5].argmax(1), x[:, 5:8] @ torch.tensor([4.0, 2.0, 1.0])
    assert torch.allclose(data.original(y.mT)[0], a + b + 15 + 5 * x[:, 8], atol=0.01)
    shown, (_, asked) = data.given("extrapolation"), data.evaluation_set("extrapolation")
    assert torch.allclose(shown.sum(0).float(), asked[0], atol=1e-4)
    assert torch.allclose(data.prepare(shown.float()), data.evaluation_set("extrapolation")[0], atol=1e-5)


def test_several_formulas_are_several_outputs_in_order():
    data = Formula(formulas={"sum": "a + b", "larger": "max(a, b)"})
    x, y = data.training_batch(0)
    assert torch.equal(y, torch.stack([x.sum(1), x.max(1).values], 1))
    assert data.output_names == ["sum", "larger"]


def test_compiled_steps_are_as_others():
    data = Formula(
        "a % 3 == 0 and min(b, 1.5) > floor(b)",
        variables={"a": [0, 30], "b": [[1, 2], [3, 4]]},
        integers=["a"],
        encode={"a": "bits(5)"},
        scale_inputs="standard",
    )
    ends = []
    for compile in (False, True):
        population = Population(MLP(6, 1, depth=1, width=3), data, range(3), compile=compile)
        live = population.live
        ends.append(population.dynamics.run(live.state, live.columns, 0, 20, compile)["parameters"])
    assert torch.allclose(*ends, rtol=1e-4, atol=1e-5)


def test_a_product_is_learnt_and_asked_outside(trainer):
    data = Formula("a * b", test_variables={"a": [2, 6], "b": [2, 6]})
    population = Population(NMU(learning_rate=0.05), data, range(2), evaluate_every=200, compile=False)
    trainer(400).fit(population)
    assert population.success.all()
