"""The text of `compare --help`."""

USAGE = """\
usage: compare --models A,B,... [--dataset NAME] [--seeds N] [--tune N] [--KEY=VALUE ...]
behind `recbole-inv` or `python run_recbole_inv.py`

Trains and tests every model with every seed on equal splits and prints one table with intervals and
paired tests. What is done already is not run again, what was interrupted goes on.

what is compared:
  --models A,B[key=value]  the lines of the table; options in brackets are that line's alone
  --seeds N                how many, default 5; or which: [1,2,7]
  --first_seed N           where N seeds begin, default 2020
  --baseline A             what the others are tested against; default is the plain model that is
                           best on validation
  --oracle B               a model that bounds what can be reached; the table then says which share
                           of the way from the baseline to it each model goes
  --ood PROTOCOL           how train, iid and out-of-distribution tests are cut
  --KEY=VALUE, --config_files FILE ...
                           options of all models, as for a single run
how options are chosen:
  --tune N                 search each model's first, N trials each, on validation; with it
                           --searcher, --scheduler, --grace_period, --reduction_factor,
                           --search_seed, --cpus_per_trial, --gpus_per_trial, --max_concurrent
                           and --address, which `tune --help` explains
where it runs:
  --jobs N                 runs at a time, default 1
  --out DIR                default runs/compare-<dataset>-<protocol>
  --markdown FILE          write the section of this dataset and protocol into a page
  --dry_run                say what would be run and what is done already, run nothing
exit codes: 0 done, 1 a run failed, 2 wrong input, 130 and 143 interrupted
docs/compare.md says more."""
