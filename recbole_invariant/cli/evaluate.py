"""`evaluate --run DIR`: test a finished run again."""

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.errors import InputError


def evaluate(arguments: Arguments) -> int:
    """Measure a stored model on its test sets and print the table; nothing is written.

    Raises:
        InputError: something the user gave is wrong.
    """
    run_dir = arguments.take("run")
    if run_dir is None:
        raise InputError("evaluate needs --run DIR, the folder of a finished run.")
    if arguments.config_files:
        raise InputError("evaluate takes no --config_files: a run's options are in its folder.")
    for name in ("model", "dataset"):
        if name in arguments.options:
            raise InputError(f"evaluate takes no --{name}: the run's own is used.")
    from recbole_invariant.evaluation.reopen import evaluate_run

    print(evaluate_run(run_dir, command_line=arguments.options).table)
    return 0
