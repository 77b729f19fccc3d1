"""Optuna's journal file, made safe against full disks and killed writers.

Optuna reads a journal line by line and gives up at a broken line with others behind it. So a line that could only be
written in part is taken back, and one that a killed process has left is removed before the next is appended.

Forcing a line to the disk takes milliseconds, and a trial writes several: so that is done once a second. What is
appended outlives every process at once, and a machine without power from then on.
"""

import errno
import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.storages.journal._file import get_lock_file

FORCED = 1.0
"""Seconds from one forced write to the next."""


class SafeJournal(JournalFileBackend):
    """A journal whose every line is whole.

    Args:
        path: the file; created with its folder.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.lock, self.forced = path, JournalFileSymlinkLock(str(path)), 0.0
        super().__init__(str(path), self.lock)
        with path.open("ab"):
            pass  # a file that cannot be written is refused now, not at the first trial

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all lines or none; OSError if they do not fit."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with get_lock_file(self.lock), self.path.open("r+b", buffering=0) as file:
            end = whole(file)
            file.seek(end)
            try:
                if file.write(lines) != len(lines):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
                if time.monotonic() > self.forced + FORCED:
                    os.fsync(file.fileno())
                    self.forced = time.monotonic()
            except OSError:
                file.truncate(end)
                raise


def whole(file: BinaryIO) -> int:
    """Return where the last complete line ends; cut off what follows."""
    end = size = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 2**16)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        file.truncate(end)
    return end
