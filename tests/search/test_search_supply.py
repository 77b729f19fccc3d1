"""How many trials a command asks for, and what it waits for."""

from dataclasses import replace

import pytest
from example import GOOD
from optuna.trial import TrialState

from arith_lightning.search import outcome, studies
from arith_lightning.search.declaration import parse
from arith_lightning.search.supply import Supply
from arith_lightning.search.worker import Work, Worker

FAST = parse("parity", GOOD | {"steps": 2, "trials": 20, "fixed": {"evaluate_every": 1}})


@pytest.fixture
def work(tmp_path):
    return Work(FAST, str(tmp_path / "journal.log"), "random", "none", 0, "mine", False)


def test_a_study_ends_at_its_number_of_trials_and_says_where_the_time_went(work, pool):
    study = studies.open_study(FAST, work.storage)
    spent = [one for one in Supply(study, work, pool).fill() if one]
    assert [values[1] for values in pool.calls] == [8, 8, 4]
    assert len(studies.finished(study)) == 20
    assert all(0 < one.asking + one.telling < one.whole for one in spent)
    more = replace(FAST, trials=24)
    assert len([one for one in Supply(study, work._replace(space=more), pool).fill() if one]) == 1
    assert not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))


def test_trials_of_another_command_are_waited_for_and_taken_back_when_it_is_gone(work, pool):
    study = studies.open_study(FAST, work.storage)
    other = Worker(3)
    theirs = other.ask(work._replace(command="theirs"), 4)
    supply, waited = Supply(study, work, pool), []
    for _ in supply.fill():
        if supply.waiting:
            waited.append(supply.waiting)
            study.tell(theirs[0][0].number, 0.5)
            studies.reclaim(study, [("theirs", 3)])
    assert waited[0].startswith(f"waiting for 4 trials of process {other.mine['pid']} on {other.mine['host']}, since ")
    assert len(studies.finished(study)) == 20
    assert sum(studies.RETRIED in trial.user_attrs for trial in study.trials) == 3


def test_what_a_lost_worker_had_is_trained_once_more_and_then_dropped(work, pool):
    study = studies.open_study(FAST, work.storage)
    supply = Supply(study, work, pool)
    for _ in range(2):
        Worker(1).ask(work, 2)
        supply.take_back([1])
    assert [trial.state for trial in study.trials] == [TrialState.FAIL] * 4
    assert study.trials[2].params == study.trials[0].params
    list(supply.fill())
    assert len(studies.finished(study)) == 20
    assert len(study.trials) == 24


def test_an_answer_belongs_to_its_study_and_to_what_was_asked(work, pool, tmp_path):
    study = studies.open_study(FAST, work.storage)
    list(Supply(study, work, pool).fill())
    rate, share = outcome.Rate(1, 2), outcome.Rate(3, 4)
    found = outcome.Outcome({"rate": 0.1}, rate, 12.0, None, {"rate": [0.1, 0.2]}, 20, share)
    content = {outcome.ASKED: outcome.asked(study, FAST)} | found._asdict()
    (tmp_path / outcome.SUMMARY).write_text(outcome.json.dumps(content))
    (tmp_path / outcome.BEST).touch()
    assert outcome.recall(tmp_path, study, FAST) == found
    assert outcome.recall(tmp_path, study, replace(FAST, points=(3, 3))) is None
    other = studies.open_study(FAST, str(tmp_path / "other.log"))
    list(Supply(other, work._replace(storage=str(tmp_path / "other.log")), pool).fill())
    assert outcome.recall(tmp_path, other, FAST) is None
    list(Supply(study, work._replace(space=replace(FAST, trials=24)), pool).fill())
    assert outcome.recall(tmp_path, study, FAST) is None
