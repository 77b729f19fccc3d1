import pytest
import torch

from arith_lightning.architectures import MLP, NAC, NMU, SineParity
from arith_lightning.data import IntegerParity, SingleModuleTask
from arith_lightning.population.compilation import WORTHWHILE, worthwhile
from arith_lightning.population.structure import dynamics, locate, signature

BASE = (NMU(), SingleModuleTask())


@pytest.mark.parametrize(
    ("module", "data"),
    [
        (NMU(learning_rate=0.5, seed=3, penalty_weight=2.0, init_scale=0.1), SingleModuleTask()),
        (NMU(), SingleModuleTask(interpolation=[3.0, 4.0], seed=9)),
    ],
)
def test_values_share_a_structure(module, data):
    assert signature(module, data) == signature(*BASE)
    assert dynamics(module, data) is dynamics(*BASE)


@pytest.mark.parametrize(
    ("module", "data"),
    [
        (NMU(optimizer="sgd"), SingleModuleTask()),
        (NMU(schedule="cosine"), SingleModuleTask()),
        (NMU(gradient_clip_norm=1.0), SingleModuleTask()),
        (NMU(gradient_clip_value=1.0), SingleModuleTask()),
        (NMU(in_features=3), SingleModuleTask(in_features=3)),
        (NMU(), SingleModuleTask("add")),
        (NMU(), SingleModuleTask(batch_size=64)),
        (NMU(), SingleModuleTask(interpolation=[[1.0, 2.0], [3.0, 4.0]])),
        (NAC(), SingleModuleTask()),
        (MLP(), SingleModuleTask()),
    ],
)
def test_shapes_and_code_paths_do_not(module, data):
    assert signature(module, data) != signature(*BASE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((NAC(init="uniform"), SingleModuleTask()), (NAC(init="published"), SingleModuleTask())),
        ((MLP(activation="relu"), SingleModuleTask()), (MLP(activation="tanh"), SingleModuleTask())),
        ((SineParity(), IntegerParity(10)), (SineParity(), IntegerParity(10, 20))),
    ],
)
def test_attributes_that_change_the_code_path_tell_structures_apart(one, other):
    assert signature(*one) != signature(*other)


def test_a_setting_is_found_by_its_short_or_full_name():
    groups = (
        {"network.init_scale": torch.zeros(()), "learning_rate": torch.zeros(())},
        {"interpolation": torch.ones(1)},
    )
    assert locate("init_scale", groups) == (0, "network.init_scale")
    assert locate("network.init_scale", groups) == (0, "network.init_scale")
    assert locate("interpolation", groups) == (1, "interpolation")


def test_a_name_of_two_layers_is_refused():
    groups = ({"network.0.init_scale": torch.zeros(()), "network.2.init_scale": torch.zeros(())},)
    with pytest.raises(ValueError, match="got 'init_scale'"):
        locate("init_scale", groups)
    assert locate("0.init_scale", groups) == (0, "network.0.init_scale")


def test_compiling_is_decided_by_steps_alone_and_said_where_it_cannot_be(monkeypatch, caplog):
    cpu = torch.device("cpu")
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/" + name)
    assert not worthwhile(WORTHWHILE - 1, cpu)
    assert worthwhile(WORTHWHILE, cpu)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not worthwhile(WORTHWHILE, cpu)
    assert "no C++ compiler" in caplog.text
