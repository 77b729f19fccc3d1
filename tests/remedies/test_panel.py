"""What the panel of remedies changes, and where it fits."""

from functools import cache
from pathlib import Path

import pytest

from arith_lightning.config import experiment
from arith_lightning.population import Population
from arith_lightning.remedies import panel

CONFIGS = Path(__file__).parents[2] / "configs"
PANEL = panel.load()
TRIED = (
    "field/posted/posted_parabola",
    "field/posted/posted_sum_of_bits",
    "field/posted/posted_even_function",
    "field/own_even_raw",
    "field/posted/posted_even_linear",
    "field/posted/posted_doubles",
)
"""Configurations of which each remedy fits one at least."""


@cache
def shipped(name, *flags):
    return experiment(["--config", str(CONFIGS / f"{name}.yaml"), *flags])


def with_remedies(name, *remedies):
    return panel.applied(remedies, PANEL, shipped(name))


@pytest.mark.parametrize("name", PANEL)
def test_every_remedy_fits_somewhere_and_what_it_makes_of_that_trains(name, trainer):
    built = next(built for one in TRIED if (built := with_remedies(one, name)))
    again = panel.build(panel.short(built))
    assert panel.members(again) == panel.members(built)
    population = Population(again.module, again.data, seeds=[0, 1], evaluate_every=2, compile=False)
    trainer(2).fit(population)
    assert population.record.measured.all()


@pytest.mark.parametrize(
    ("config", "remedy", "key", "value"),
    [
        ("field/own_parabola", "rate x10", "learning_rate", 0.03),
        ("field/own_parabola", "rate /100", "learning_rate", 3e-5),
        ("field/own_parabola", "wider", "widths", [64, 64]),
        ("field/own_parabola", "deeper", "widths", [16, 16, 16]),
        ("field/own_parabola", "one layer", "widths", [16]),
        ("field/own_xor_linear", "one layer", "depth", 1),
        ("field/own_parabola", "warm-up and decay", "schedule_steps", 2000),
    ],
)
def test_a_value_may_come_from_the_present_one_or_from_another_key(config, remedy, key, value):
    assert with_remedies(config, remedy).config["model"]["init_args"][key] == pytest.approx(value)


def test_integers_are_shown_in_as_many_bits_as_they_have():
    assert with_remedies("field/own_even_raw", "bits").config["data"]["init_args"]["encode"] == {"n": "bits(10)"}


@pytest.mark.parametrize(
    ("config", "remedy"),
    [
        ("field/own_parabola", "adam"),  # is Adam
        ("field/own_parabola", "bits"),  # has no integers
        ("field/own_parabola", "larger batch"),  # takes all rows
        ("field/own_even_raw", "all rows"),  # has no rows
        ("field/own_even_raw", "NMU"),  # asks for yes or no
        ("field/own_xor_linear", "scale targets"),  # asks for classes
        ("field/own_divisible_by_3", "scale inputs"),  # has bits alone
        ("nmu_mul", "tanh"),  # has no activation
        ("nmu_mul", "scale inputs"),  # cannot scale
    ],
)
def test_a_remedy_that_does_not_fit_is_passed_over(config, remedy):
    assert with_remedies(config, remedy) is None


def test_another_class_keeps_what_both_inherit_and_starts_as_published():
    config = panel.applied(["NMU"], PANEL, shipped("field/own_parabola", "--model.init_args.gradient_clip_norm=0.5"))
    arguments = config.config["model"]["init_args"]
    assert config.config["model"]["class_path"].endswith(".NMU")
    assert (arguments["gradient_clip_norm"], arguments["init_scale"], arguments["penalty_weight"]) == (0.5, 0.25, 10.0)


def test_remedies_together_change_the_class_first():
    config = with_remedies("field/posted/posted_sum_of_bits", "clip gradients", "residual").config
    assert config["model"]["class_path"].endswith(".ResidualMLP")
    assert config["model"]["init_args"]["gradient_clip_norm"] == 1.0
    assert config["model"]["init_args"]["head"] == "sigmoid"
    assert with_remedies("field/posted/posted_sum_of_bits", "tanh", "residual") is None
