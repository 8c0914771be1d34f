"""Choose the sub-command, and turn what goes wrong into exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from recbole_invariant.cli.arguments import Arguments, parse_arguments
from recbole_invariant.errors import InputError, WriteError, suggest

DONE, FAILED, WRONG_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
PLANNED = ("convert",)
LISTS = {"recommend": ("users",)}
"""Command -> its options that take several words."""


class _Terminated(BaseException):
    """SIGTERM arrived; not an Exception, so that nothing but `main` swallows it."""


def _commands() -> dict[str, Callable[[Arguments], int]]:
    """Return the sub-commands; training is the empty name. Imported late, since torch is slow."""
    from recbole_invariant.cli.compare import compare
    from recbole_invariant.cli.doctor import doctor
    from recbole_invariant.cli.evaluate import evaluate
    from recbole_invariant.cli.planted import planted
    from recbole_invariant.cli.recommend import recommend
    from recbole_invariant.cli.report import report
    from recbole_invariant.cli.train import train
    from recbole_invariant.cli.tune import tune

    return {
        "": train,
        "compare": compare,
        "evaluate": evaluate,
        "doctor": doctor,
        "planted": planted,
        "recommend": recommend,
        "report": report,
        "tune": tune,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the words after the program's name; by default those of this process.

    Returns:
        0 done, 1 the run failed, 2 wrong input, 130 interrupted, 143 terminated.
    """
    return _with_output_written(_run(argv))


def _run(argv: Sequence[str] | None) -> int:
    """Run the command line; what goes wrong becomes a message and an exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if str(Path.cwd()) not in sys.path:
        # An installed script has its own folder there; a user's model is where they are.
        sys.path.append(str(Path.cwd()))
    try:
        with _sigterm_raises():
            return _dispatch(words)
    except InputError as error:
        print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
        return WRONG_INPUT
    except BrokenPipeError:
        # the reader, such as head, has enough; nothing may be written to it at exit either
        _discard_output()
        return DONE
    except KeyboardInterrupt as stop:
        print(_ended("interrupted", stop), file=sys.stderr)
        return INTERRUPTED
    except _Terminated as stop:
        print(_ended("terminated", stop), file=sys.stderr)
        return TERMINATED
    except WriteError as error:
        print(" ".join([f"the run failed: {error}", *_notes(error)]), file=sys.stderr)
        return FAILED
    except Exception as error:
        print(_failure(error), file=sys.stderr)
        return FAILED


def _with_output_written(code: int) -> int:
    """Flush what was printed: a full disk would else be met at exit, after the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _discard_output()
        if not isinstance(error, BrokenPipeError):
            print(f"the output cannot be written: {error.strerror}", file=sys.stderr)
            return code or FAILED
    return code


def _discard_output() -> None:
    """Send what is still to be printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _notes(error: BaseException) -> list[str]:
    """Return what was added to an exception on its way."""
    return list(getattr(error, "__notes__", []))


def _dispatch(words: list[str]) -> int:
    """Find the sub-command and run it.

    Raises:
        InputError: there is no such command, or its arguments are wrong.
    """
    name = words.pop(0) if words and not words[0].startswith("-") else ""
    commands = _commands()
    if name in PLANNED:
        raise InputError(f"'{name}' is not in this version yet.")
    if name not in commands:
        known = [command for command in commands if command]
        raise InputError(
            f"there is no command '{name}'.{suggest(name, known)} Commands are {', '.join(known)}; "
            "without one, a model is trained."
        )
    arguments = parse_arguments(words, LISTS.get(name, ()))
    if arguments.wants_help:
        from recbole_invariant.cli.help import page

        print(page(name, arguments))
        return DONE
    return commands[name](arguments)


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that files are closed and folders whole."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # Not the main thread, which alone may set handlers.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ended(how: str, stop: BaseException) -> str:
    """Say how the run ended and what is left of it, on a new line: the last may hold a bar."""
    return "\n" + " ".join([how, *_notes(stop)])


def _failure(error: Exception) -> str:
    """Describe a failed run in two lines: what, and where in the code."""
    where = traceback.extract_tb(error.__traceback__)
    place = f"{where[-1].filename}:{where[-1].lineno}" if where else "unknown"
    return (
        f"the run failed: {type(error).__name__}: {error}\n"
        f"at {place}; the log of the run has the traceback."
    )
