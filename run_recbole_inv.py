"""Train and evaluate a model, or run a sub-command; the same program as `recbole-inv`."""

import signal
import sys


def main() -> int:
    """Run the command line; where RecBole or a library does not fit, say so and return 2."""
    try:
        from recbole_invariant.cli.main import INTERRUPTED
        from recbole_invariant.cli.main import main as command
    except ImportError as error:
        # HostError carries a code; the class itself lives in the package that failed to import.
        code: int | None = getattr(error, "exit_code", None)
        if code is None:
            raise
        print(error, file=sys.stderr)
        return code
    ended = command()
    if ended == INTERRUPTED:
        # everything is said and written: another Ctrl-C would only break into Python's own end
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return ended


if __name__ == "__main__":
    sys.exit(main())
