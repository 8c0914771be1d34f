"""`report`: the page of finished runs."""

from pathlib import Path

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.errors import InputError

USAGE = """\
usage: report --runs DIR [--out FILE] [--baseline MODEL] [--oracle MODEL]
behind `recbole-inv` or `python run_recbole_inv.py`

Writes one HTML page of all finished runs in a folder, grouped by dataset and protocol.

  --runs DIR               folder that holds the run folders
  --out FILE               default report.html
  --baseline MODEL         what the others are tested against; default is the plain model that is
                           best on validation
  --oracle MODEL           a model that bounds what can be reached
exit codes: 0 done, 1 it failed, 2 wrong input"""

OPTIONS = (
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
        raise InputError(f"{OPTIONS}, not --{', --'.join(others)}.")
    if runs is None or runs == "true":
        raise InputError(f"{OPTIONS}; --runs is missing: the folder that holds the run folders.")
    if out == "true":
        raise InputError(f"{OPTIONS}; --out names no file.")
    print(write_report(Path(runs), Path(str(out)), baseline, oracle))
    return 0
