import pytest

from arith_lightning.evaluation.reference import main, upper_bound


def test_the_bound_by_hand():
    # t of 99 % with 3 degrees of freedom is 4.5407
    assert upper_bound([1.0, 2.0, 3.0, 4.0]) == pytest.approx(2.5 + 4.5407 * (5 / 3) ** 0.5 / 2, rel=1e-5)
    assert upper_bound([0.5, 0.5]) == 0.5


def test_the_command_reads_the_runs_of_a_reference(tmp_path, capsys):
    path = tmp_path / "runs.csv"
    path.write_text("seed,error\n0,1.0\n1,2.0\n2,3.0\n3,4.0\n")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "5.431\n"
    path.write_text("seed,error\n0,1.0\n")
    assert main([str(path)]) == 2
    assert "at least two runs; got 1" in capsys.readouterr().err
    assert main([str(tmp_path / "none.csv")]) == 2
