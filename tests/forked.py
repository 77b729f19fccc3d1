"""Programs in processes of their own, forked from one that has the slow imports behind it; all else is theirs alone."""

import os
import runpy
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess

from arith_lightning import processes


class Forked:
    """`python ARGUMENTS` in a folder.

    Args:
        arguments: `-m MODULE ...` or `-c PROGRAM`; after `-P`, classes are not looked for in the folder.
        folder: where it runs.
        prepare: called in the process before anything else.
    """

    def __init__(self, arguments, folder, prepare=None):
        context = processes.context("arith_lightning.fitting")
        pipes = [context.Pipe(duplex=False) for _ in ("output", "errors")]
        self.arguments = arguments
        writers = [writer for _, writer in pipes]
        self.process = context.Process(target=be, args=(arguments, str(folder), writers, prepare))
        self.process.start()
        for writer in writers:
            writer.close()
        threads = ThreadPoolExecutor(len(pipes))
        self.said = [threads.submit(drain, reader) for reader, _ in pipes]
        threads.shutdown(wait=False)

    def running(self):
        return self.process.exitcode is None

    def send(self, number):
        os.kill(self.process.pid, number)

    def ended(self, seconds=250):
        """Wait for its end, and return its code and what it has said."""
        self.process.join(seconds)
        if self.running():
            self.process.kill()
        output, errors = (each.result() for each in self.said)
        return CompletedProcess(self.arguments, self.process.exitcode, output, errors)


def drain(reader):
    with open(reader.fileno(), encoding="utf-8", closefd=False) as file:
        return file.read()


def be(arguments, folder, writers, prepare):
    """Be the program."""
    for writer, stream in zip(writers, (sys.stdout, sys.stderr), strict=True):
        os.dup2(writer.fileno(), stream.fileno())
        writer.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    if prepare:
        prepare()
    sys.path[:] = [path for path in sys.path if path != folder]
    if arguments[0] == "-P":
        arguments = arguments[1:]
    else:
        sys.path.insert(0, folder)
    kind, what, *rest = arguments
    sys.argv = [kind, *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what, {"__name__": "__main__"})
