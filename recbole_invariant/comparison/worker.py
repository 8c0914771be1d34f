"""One run of a comparison in a process of its own: `python -m recbole_invariant.comparison.worker`.

What to run comes as a line of JSON through standard input. The parent keeps that pipe open; when
it closes, the parent is gone, and so is this process, however the parent ended.
"""

import json
import os
import sys
import threading
import traceback

STDIN = 0
DONE, FAILED, WRONG_INPUT, ORPHANED = 0, 1, 2, 143


def main() -> int:
    """Read what to run, run it, and say by the exit code how it went."""
    given = json.loads(_first_line())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from recbole_invariant.errors import InputError
    from recbole_invariant.quick_start import run

    try:
        run(**given)
    except InputError as error:
        print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
        return WRONG_INPUT
    except Exception:
        traceback.print_exc()
        return FAILED
    return DONE


def _first_line() -> bytes:
    """Read up to the first line break, no further; Python's own buffer would read more."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(STDIN, 1)
        if not piece:
            break
        line += piece
    return line


def _end_with_parent() -> None:
    while os.read(STDIN, 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
