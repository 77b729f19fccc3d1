import re

from arith_lightning.search import benchmark


def test_both_contestants_are_timed_and_compared(monkeypatch, pool, capsys):
    monkeypatch.setattr(benchmark.command, "open_pool", lambda options, lost: pool)
    pool.stop = lambda: None
    assert (
        benchmark.main(["--workers", "1", "--trials", "4", "--batch", "2", "--steps", "20", "--plain-seeds", "1"]) == 0
    )
    output = capsys.readouterr().out
    assert "search, 4 trials" in output
    share = float(re.search(r"telling take ([\d.]+)%", output.replace("\n", " "))[1])
    assert 0 < share < 100
    studies = [values[0].storage for values in pool.calls if len(values) == 2]
    assert len(set(studies)) == 2
