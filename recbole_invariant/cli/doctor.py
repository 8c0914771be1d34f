"""`doctor`: what this environment has."""

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.doctor import format_report, report
from recbole_invariant.errors import InputError


def doctor(arguments: Arguments) -> int:
    """Print the report; exit code 2 where a run could not start.

    Raises:
        InputError: an option other than `--data_path` is given.
    """
    data_path = arguments.take("data_path")
    others = [*arguments.options, *(["config_files"] if arguments.config_files else [])]
    if others:
        raise InputError(f"doctor takes --data_path DIR only, not --{', --'.join(others)}.")
    found = report(data_path)
    print(format_report(found))
    return 0 if found.healthy else 2
