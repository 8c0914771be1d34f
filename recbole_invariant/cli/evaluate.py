"""`evaluate --run DIR`: test a finished run again."""

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.errors import InputError

USAGE = """\
usage: evaluate --run DIR [--metrics=[NDCG,Recall]] [--topk=[10,20]] [--KEY=VALUE ...]
behind `recbole-inv` or `python run_recbole_inv.py`

Measures the stored model of a finished run on its test sets again and prints the table; nothing is
trained and nothing is written. The run's own options hold but for those that are given.

  --run DIR                folder of a finished run
  --metrics LIST           metrics of RecBole, e.g. [NDCG,Recall,GAUC]
  --topk LIST              lengths of the ranking, e.g. [5,10,50]
  --data_path DIR          where the data is now, if it was moved
  --KEY=VALUE              other options that leave data, splits and model as they are, e.g.
                           --eval_users_per_batch=64 or --use_gpu=false
exit codes: 0 done, 1 it failed, 2 wrong input
docs/files.md says what a run folder holds."""


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
