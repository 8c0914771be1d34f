"""`doctor`: what this environment has."""

from pathlib import Path

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.doctor import format_report, report
from recbole_invariant.errors import InputError

USAGE = """\
usage: doctor [--data_path DIR]
behind `recbole-inv` or `python run_recbole_inv.py`

Prints the versions of what is installed, the mends of RecBole in force, devices and data found.

  --data_path DIR          a folder of datasets to look into
exit codes: 0 a run can start, 2 it cannot"""


def doctor(arguments: Arguments) -> int:
    """Print the report; exit code 2 where a run could not start.

    Raises:
        InputError: an option other than `--data_path` is given.
    """
    data_path = arguments.take("data_path")
    others = [*arguments.options, *(["config_files"] if arguments.config_files else [])]
    if others:
        raise InputError(f"doctor takes --data_path DIR only, not --{', --'.join(others)}.")
    if data_path is not None and not Path(data_path).is_dir():
        raise InputError(f"data_path: there is no folder {data_path}.")
    found = report(data_path)
    print(format_report(found))
    return 0 if found.healthy else 2
