"""Ctrl-C and SIGTERM that wait until a checkpoint is written."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STDERR = 2
SAID = (
    b"\nstopping: the step or the validation at hand is finished and a checkpoint written; "
    b"once more to quit at once\n"
)


class StopSignals:
    """Holds a first signal back in blocks that ask for it, until they act upon it.

    What a signal does in the end is up to the handler that was there before: an exception, or the
    end of the process. A second signal, and any outside of such a block, is not held back.

    Attributes:
        requested: whether a signal is held back.
    """

    def __init__(self) -> None:
        self._before: dict[int, signal._HANDLER] = {}
        self._waiting: int | None = None
        self._holds = False

    @property
    def requested(self) -> bool:
        """Whether a signal is held back."""
        return self._waiting is not None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle both signals in this block; other threads than the main one may not."""
        self._waiting = None
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if handler is not None and handler is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            self._restore()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold a first signal back; `act` at the latest when the block has ended."""
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    def act(self) -> None:
        """Do what the signal that was held back asks for; nothing where there is none."""
        if self._waiting is not None:
            self._deliver(self._waiting)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._holds or self.requested:
            self._deliver(number)
            return
        self._waiting = number
        os.write(STDERR, SAID)  # print is not for handlers: it may have interrupted a print

    def _deliver(self, number: int) -> None:
        """Put the handlers back and send the signal again."""
        self._waiting = None
        self._restore()
        signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
