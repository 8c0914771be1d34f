"""`report`: the page of finished runs."""

from pathlib import Path

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.errors import InputError

USAGE = (
    "report takes --runs DIR, --out FILE (default report.html), --baseline MODEL and --oracle MODEL"
)


def report(arguments: Arguments) -> int:
    """Write the page and print where it is.

    Raises:
        InputError: `--runs` is missing, an option is unknown, or there is nothing to report.
    """
    from recbole_invariant.report.page import write_report

    runs = arguments.take("runs")
    out = arguments.take("out", "report.html")
    baseline, oracle = arguments.take("baseline"), arguments.take("oracle")
    others = [*arguments.options, *(["config_files"] if arguments.config_files else [])]
    if others:
        raise InputError(f"{USAGE}, not --{', --'.join(others)}.")
    if runs is None or runs == "true":
        raise InputError(f"{USAGE}; --runs is missing: the folder that holds the run folders.")
    if out == "true":
        raise InputError(f"{USAGE}; --out names no file.")
    print(write_report(Path(runs), Path(str(out)), baseline, oracle))
    return 0
