"""A study in a file of JSON lines, for Optuna's `JournalStorage`; many processes may append to it.

The lock is the operating system's own on the journal, so it ends with the process that holds it, however that dies.
Every line carries its number: a line that is lost or broken is found, and so is what a writer that died has left
unfinished, which the next one removes.

Forcing a line to the disk takes milliseconds, and a trial writes several: so that is done once a second. What is
appended outlives every process at once, and a machine without power from then on.
"""

import errno
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileOpenLock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FORCED = 1.0
"""Seconds from one forced write to the next."""
QUIET = 10.0
"""Seconds of waiting for another process before that is said."""
NUMBER = "line"
"""Key of a line's number, from 1; Optuna passes over it."""
FIRST = f'{{"{NUMBER}":'.encode()
"""How every line begins."""
log = logging.getLogger(__name__)


def journal(path: Path) -> BaseJournalBackend:
    """Open a journal, or create it with its folder.

    Raises:
        ValueError: it is no regular file.
        OSError: it cannot be written, or its file system has no locks.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"a journal must be a regular file; got {path}; name another")
    path.parent.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        return JournalFileBackend(str(path), JournalFileOpenLock(str(path)))
    return Journal(path)


def broken(path: Path, number: int, what: str) -> ValueError:
    """Return the complaint about a line that is broken or missing."""
    saved = path.with_name(f"{path.stem}.saved{path.suffix}")
    rescue = f"`head -n {number - 1} {path} > {saved}` and --storage {saved} go on with what is before it"
    return ValueError(
        f"a journal must be whole; got {path}, whose line {number} is {what}; "
        f"{rescue if number > 1 else 'restore a copy, or remove it and begin anew'}"
    )


class Journal(BaseJournalBackend):
    """A journal whose every line is whole.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.forced = path, 0.0
        self.read = 0, 0
        """How much is read: lines, bytes."""
        with path.open("ab") as file:
            locked(file)  # a file system without locks is refused now, not at the first trial

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield what the lines after the first `log_number_from` hold; an unfinished one at the end does not count.

        Raises:
            ValueError: a line is broken or missing.
        """
        number, end = self.read if self.read[0] == log_number_from else (0, 0)
        with self.path.open("rb") as file:
            file.seek(end)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                number, end = number + 1, end + len(line)
                content = self.parse(number, line)
                if number > log_number_from:
                    self.read = number, end
                    yield content

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all lines or none.

        Raises:
            OSError: they do not fit.
        """
        with self.path.open("a+b", buffering=0) as file:
            lock(file, self.path)
            number = self.mend(file)
            numbered = [{NUMBER: number + k} | content for k, content in enumerate(logs, 1)]
            lines = "".join(json.dumps(content, separators=(",", ":")) + "\n" for content in numbered).encode()
            try:
                if file.write(lines) != len(lines):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
                if time.monotonic() > self.forced + FORCED:
                    os.fsync(file.fileno())
                    self.forced = time.monotonic()
            except OSError:
                self.mend(file)
                raise

    def mend(self, file: BinaryIO) -> int:
        """Cut off an unfinished line; return the number of the last one. Only for who holds the lock."""
        size, length, parts = file.seek(0, os.SEEK_END), 2**12, [b""]
        while len(parts) < 3 and length < 4 * max(size, 2**12):
            file.seek(max(0, size - length))
            parts, length = file.read().rsplit(b"\n", 2), 4 * length
        *_, line, rest = [b"", *parts]
        if rest:
            file.truncate(size - len(rest))
        if line.startswith(FIRST):
            return int(line[len(FIRST) :].split(b",", 1)[0])
        file.seek(0)
        return sum(1 for _ in file)

    def parse(self, number: int, line: bytes) -> dict[str, Any]:
        """Return what a line holds.

        Raises:
            ValueError: it is broken, or is not the one that belongs here.
        """
        try:
            content = json.loads(line)
            found, operation = content.get(NUMBER, number), content["op_code"]
        except (ValueError, AttributeError, KeyError, TypeError):
            raise broken(self.path, number, "broken") from None
        if found != number or (number == 1 and operation):  # a journal begins with the creation of a study
            raise broken(self.path, number, "missing")
        return content


def locked(file: BinaryIO) -> bool:
    """Lock a file, unless another process has; closing it, or the end of this process, lets others in."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(file: BinaryIO, path: Path) -> None:
    """Lock a file as soon as nobody else has it locked; say so if that takes long."""
    began, told = time.monotonic(), False
    while not locked(file):
        if not told and time.monotonic() > began + QUIET:
            told = True
            log.warning("waiting for %s, which another process has locked for %g s; is it stopped?", path, QUIET)
        time.sleep(0.0002)
