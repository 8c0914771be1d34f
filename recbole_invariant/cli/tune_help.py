"""The text of `tune --help`."""

USAGE = """\
usage: tune --model NAME [--dataset NAME] [--trials N] [--KEY=VALUE ...]
       tune --resume DIR [--trials N]
behind `recbole-inv` or `python run_recbole_inv.py`

Searches the options of a model on validation rows, then trains the best ones and opens the tests
once. Trial 0 has the model's defaults. Options set by --KEY=VALUE or --config_files hold in every
trial and are not searched.

what is searched:
  --space FILE             YAML, or RecBole's text format; default properties/tune/<Model>.yaml
  --trials N               how many, the defaults among them; default 20, of a grid all
  --searcher NAME          random (default), grid, optuna or hyperopt
  --search_seed N          seed of the proposals, default 0; --seed is that of the runs
by what:
  --objective SPLIT:METRIC valid:ndcg@10 or ood_valid:...; several times: a Pareto set; default is
                           what selects epochs (valid_metric, selection)
what is stopped early:
  --scheduler NAME         asha (default with one objective), median, pbt or none (default with
                           several, where asha goes by the first)
  --grace_period N         validations of the final stage before a trial may be stopped, default
                           a tenth of the most that there are, at least 4;
                           with pbt those between two exchanges
  --reduction_factor X     one in X trials passes a rung of asha, default 3
where it runs:
  --cpus_per_trial X       default 1; also the threads of a trial
  --gpus_per_trial X       default 0; 0.5 lets two trials share one (not --use_gpu, --gpu_id)
  --max_concurrent N       trials at a time at most
  --address HOST:PORT      an existing Ray cluster, or auto; default is a Ray of its own on loopback
  --storage DIR            where the search's folder is made, default runs; or a URL of fsspec
  --run_name NAME          that folder's name, default tune-<model>-<dataset>-<time>
the end:
  --refit HOW              train (default), train+valid for the epochs that were best, or none
  --resume DIR             go on with a search that was stopped, or that is to have more trials
  --dry_run                print the plan and the space, train nothing
exit codes: 0 done, 1 the search failed, 2 wrong input, 130 and 143 interrupted
docs/tuning.md says more."""
