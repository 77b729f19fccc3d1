"""What is only looked at neither ends a run nor is left halfway."""

import signal

import pytest

from arith_lightning.callbacks.harmless import harmless


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_wait_until_a_block_has_ended(monkeypatch, number):
    monkeypatch.setattr("arith_lightning.callbacks.harmless._told", set())
    before, done = signal.signal(number, signal.default_int_handler), []

    def work():
        with harmless("the outer"):
            with harmless("the inner"):
                signal.raise_signal(number)
                done.append("inner")
            done.append("outer")

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)
    assert done == ["inner", "outer"]
