"""Signals that wait, and signals that do not."""

import os
import signal
import threading

import pytest

from recbole_invariant.stop_signals import StopSignals


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def test_a_first_signal_waits_for_act(capfd):
    stops, steps = StopSignals(), []

    def train() -> None:
        with stops.installed():
            with stops.held_back():
                send()
                steps.append(stops.requested)
            stops.act()
            steps.append(True)

    with pytest.raises(KeyboardInterrupt):
        train()
    assert steps == [True]
    assert not stops.requested
    assert "once more to quit at once" in capfd.readouterr().err


def test_a_second_signal_does_not_wait():
    stops, steps = StopSignals(), []

    def train() -> None:
        with stops.installed(), stops.held_back():
            send()
            steps.append(1)
            send()
            steps.append(2)

    with pytest.raises(KeyboardInterrupt):
        train()
    assert steps == [1]


def test_outside_of_such_a_block_none_waits():
    stops, steps = StopSignals(), []

    def train() -> None:
        with stops.installed():
            with stops.held_back():
                steps.append(1)
            send()
            steps.append(2)

    with pytest.raises(KeyboardInterrupt):
        train()
    assert steps == [1]


def test_what_sigterm_does_is_up_to_the_handler_before():
    class Ended(BaseException):
        pass

    def end(number: int, frame: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        stops = StopSignals()

        def train() -> None:
            with stops.installed():
                with stops.held_back():
                    send(signal.SIGTERM)
                stops.act()

        with pytest.raises(Ended):
            train()
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_are_put_back_and_ignored_signals_stay_ignored():
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with StopSignals().installed():
            assert signal.getsignal(signal.SIGINT) is not before
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, ignored)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_install_nothing():
    seen = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with StopSignals().installed() as _:
            seen.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
