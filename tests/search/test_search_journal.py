"""Journals: killed and stopped writers, full disks, lines that are lost."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import optuna
import pytest
from optuna.storages import JournalStorage
from processes import ROOT

from arith_lightning.search import journal as journals
from arith_lightning.search.journal import Journal, journal

pytestmark = pytest.mark.skipif(journals.fcntl is None, reason="Windows has Optuna's own journal")


def append(path, count, text=""):
    log = journal(path)
    for n in range(count):
        log.append_logs([{"op_code": 0, "n": n, "text": text}])


def numbers(path):
    return [log["line"] for log in journal(path).read_logs(0)]


def start(function, *arguments):
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    return process


def hold(path, locked):
    """Take the lock and die, or stop, with it."""
    with path.open("ab") as file:
        journals.lock(file, path)
        locked.set()
        time.sleep(60)


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A relative path, as the default is, to a journal that another process has locked."""
    monkeypatch.chdir(tmp_path)
    path, locked = journals.Path("journal.log"), multiprocessing.get_context("fork").Event()
    append(path, 3)
    process = start(hold, path, locked)
    assert locked.wait(20)
    yield path, process
    process.kill()
    process.join()


def test_a_killed_writer_takes_its_lock_with_it(held):
    path, process = held
    process.kill()
    process.join()
    began = time.monotonic()
    append(path, 1)
    assert time.monotonic() - began < 1
    assert numbers(path) == [1, 2, 3, 4]


def test_a_stopped_writer_is_waited_for_and_that_is_said(held, monkeypatch, caplog):
    monkeypatch.setattr(journals, "QUIET", 0.1)
    path, process = held
    os.kill(process.pid, signal.SIGSTOP)
    other = threading.Thread(target=append, args=(path, 5))
    other.start()
    time.sleep(0.5)
    assert "waiting for journal.log, which another process has locked" in caplog.text
    assert numbers(path) == [1, 2, 3]
    process.kill()
    other.join()
    assert numbers(path) == list(range(1, 9))


def test_writers_side_by_side_lose_no_line(tmp_path):
    path = tmp_path / "journal.log"
    processes = [start(append, path, 300) for _ in range(4)]
    for process in processes:
        process.join()
    assert numbers(path) == list(range(1, 1201))


def test_a_line_that_does_not_fit_is_taken_back(tmp_path):
    path = tmp_path / "journal.log"
    code = (
        "import resource, sys, pathlib; from arith_lightning.search.journal import Journal\n"
        "log = Journal(pathlib.Path(sys.argv[1])); log.append_logs([{'op_code': 0}])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))\n"
        "try: log.append_logs([{'n': 'x' * 100}])\n"
        "except OSError as error: print(error.strerror)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("File too large", "No space left on device"), done.stderr
    assert path.read_text() == '{"line":1,"op_code":0}\n'


def test_a_line_that_a_killed_writer_left_is_removed(tmp_path):
    path = tmp_path / "journal.log"
    append(path, 1)
    for kept in (1, 2):
        with path.open("a") as file:
            file.write('{"line":' + " " * 70_000)
        assert numbers(path) == list(range(1, kept + 1))
        append(path, 1, "x" * 10_000)
    assert numbers(path) == [1, 2, 3]


def test_a_reader_goes_on_where_it_was(tmp_path):
    path = tmp_path / "journal.log"
    append(path, 3)
    reader = Journal(path)
    assert len(list(reader.read_logs(0))) == 3
    append(path, 2)
    assert [log["line"] for log in reader.read_logs(3)] == [4, 5]
    assert [log["line"] for log in reader.read_logs(1)] == [2, 3, 4, 5]


def test_lines_that_another_program_appended_without_numbers_are_counted(tmp_path):
    path = tmp_path / "journal.log"
    path.write_text('{"op_code":0}\n{"op_code":4}\n')
    append(path, 2)
    assert [log.get("line") for log in journal(path).read_logs(0)] == [None, None, 3, 4]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (lambda lines: lines[1:], "whose line 1 is missing; restore a copy"),
        (lambda lines: lines[:3] + lines[4:], "whose line 4 is missing; `head -n 3 "),
        (lambda lines: [*lines[:3], "nonsense\n", *lines[4:]], "whose line 4 is broken; `head -n 3 "),
        (lambda lines: [*lines[:3], "\x00" * 20 + "\n", *lines[3:]], "whose line 4 is broken; `head -n 3 "),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "whose line 3 is missing; `head -n 2 "),
    ],
)
def test_a_journal_that_has_lost_a_line_is_refused_and_says_how_to_save_the_rest(tmp_path, lost, message):
    path = tmp_path / "journal.log"
    study = optuna.create_study(storage=JournalStorage(journal(path)), study_name="one")
    for n in range(4):
        study.tell(study.ask(), n)
    path.write_text("".join(lost(path.read_text().splitlines(keepends=True))))
    with pytest.raises(ValueError, match="a journal must be whole") as refused:
        JournalStorage(journal(path))
    assert message in str(refused.value)
    if "head" in message:
        command = str(refused.value).split("`")[1]
        subprocess.run(command, shell=True, check=True)
        saved = path.with_name("journal.saved.log")
        assert optuna.load_study(storage=JournalStorage(journal(saved)), study_name="one").trials is not None


def test_an_older_journal_without_numbers_must_begin_with_a_study(tmp_path):
    path = tmp_path / "journal.log"
    path.write_text('{"op_code":4,"worker_id":"a"}\n')
    with pytest.raises(ValueError, match="line 1 is missing"):
        list(journal(path).read_logs(0))


def test_lines_are_forced_to_the_disk_once_a_second_not_one_by_one(tmp_path, monkeypatch):
    forced = []
    monkeypatch.setattr(os, "fsync", forced.append)
    log = Journal(tmp_path / "journal.log")
    for _ in range(5):
        log.append_logs([{"op_code": 0}])
    assert len(forced) == 1
    monkeypatch.setattr(journals, "FORCED", 0.0)
    log.append_logs([{"op_code": 0}])
    assert len(forced) == 2
    assert numbers(log.path) == list(range(1, 7))
