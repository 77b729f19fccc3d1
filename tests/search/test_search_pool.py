"""Workers that die, of whatever signal, and what their command makes of it."""

import os
import signal
import time

import pytest

from arith_lightning.search.pool import IN_A_ROW, Processes
from arith_lightning.search.studies import StorageLostError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture
def lost():
    return []


@pytest.fixture
def processes(lost):
    pool = Processes(2, lambda reason, worker: lost.append((reason, worker)))
    yield pool
    pool.stop()


def answers(pool, function, jobs):
    return dict(done for done in pool.each(function, jobs) if done)


def pid(worker, seconds=0.0):
    time.sleep(seconds)
    return worker.index, os.getpid()


def die_once(worker, flag, number):
    """Die of a signal, in the middle of a call, unless that has happened."""
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), number)
        time.sleep(60)
    return os.getpid()


def die(worker, number):
    os.kill(os.getpid(), number)
    time.sleep(60)


def complain(worker, error):
    raise error


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_costs_its_own_call_and_nothing_else(processes, lost, tmp_path, number):
    before = dict(answers(processes, pid, [(0.3,), (0.3,)]).values())
    flag, (victim, other) = tmp_path / "flag", sorted(before)

    def jobs():
        yield flag, number
        yield tmp_path, number  # exists, so this one lives

    found = answers(processes, die_once, jobs())
    assert set(found) == {0, 1}
    assert lost == [(f"a worker was killed by {number.name}", victim)]
    after = dict(answers(processes, pid, [(0.3,), (0.3,)]).values())
    assert after[other] == before[other]
    assert after[victim] != before[victim]


def test_termination_ends_a_worker_and_it_is_replaced(processes, lost, tmp_path):
    assert answers(processes, die_once, [(tmp_path / "flag", signal.SIGTERM)])
    assert len(lost) == 1


def test_workers_may_be_lost_any_number_of_times_as_long_as_calls_are_answered(processes, lost, tmp_path):
    count = 3 * IN_A_ROW * processes.workers
    jobs = [(tmp_path / str(k), signal.SIGKILL) for k in range(count)]
    assert set(answers(processes, die_once, jobs)) == set(range(count))
    assert len(lost) == count


def test_a_command_gives_up_when_no_call_is_answered_between_losses(processes, lost):
    with pytest.raises(ValueError, match="killed by SIGKILL; what is finished is kept, the same command continues"):
        answers(processes, die, [(signal.SIGKILL,)] * 8)
    assert len(lost) == IN_A_ROW * processes.workers


def test_an_idle_worker_that_has_died_is_replaced_when_it_is_needed(processes):
    before = dict(answers(processes, pid, [(0.3,), (0.3,)]).values())
    for number in before.values():
        os.kill(number, signal.SIGKILL)
    after = dict(answers(processes, pid, [(0.3,), (0.3,)]).values())
    assert not set(after.values()) & set(before.values())


def test_what_a_call_raises_is_raised_here_but_for_a_storage_that_may_come_back(processes, lost):
    with pytest.raises(ValueError, match="no such thing"):
        answers(processes, complain, [(ValueError("no such thing"),)])
    with pytest.raises(ValueError, match="gone"):
        answers(processes, complain, [(StorageLostError("gone"),)])
    assert {reason for reason, _ in lost} == {"gone"}


def test_jobs_may_come_later(processes):
    came = []

    def jobs():
        yield (0.0,)
        while len(came) < 3:
            yield None
        yield (0.0,)

    for done in processes.each(pid, jobs()):
        came.append(done)
    assert len([done for done in came if done]) == 2


def test_calls_that_nobody_waits_for_any_more_do_not_answer_later_ones(processes):
    for done in processes.each(pid, [(0.0,), (30.0,)]):
        if done:
            break
    began = time.monotonic()
    assert len(answers(processes, pid, [(0.0,)] * 4)) == 4
    assert time.monotonic() - began < 20
