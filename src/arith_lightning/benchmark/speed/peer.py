"""JAX in a process of its own, because its threads and torch's would fight; orders and answers are lines of JSON."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = Path(__file__).with_name("jax_side") / "jax_peer.py"
ONE_THREAD = {
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""Its environment."""


class Peer:
    """The process; `about` is what it says first: versions, models, and the CPU seconds of its imports.

    Args:
        python: an interpreter that has jax and optax.

    Raises:
        ValueError: it has not.
    """

    def __init__(self, python: str) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [python, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=os.environ | ONE_THREAD,
            start_new_session=True,  # an interrupt reaches it through whoever closes it
        )
        self.about = self.answer()

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order; return the answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the answer says why
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().split("\n")
        reason = next((line for line in reversed(said) if line.strip()), f"it ended with code {code}")
        raise ValueError(f"JAX has ended; got {reason}")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
