"""`compare`: run models by seeds, reuse what is done, and write the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbole_invariant.comparison.collect import FoundRun, read_run
from recbole_invariant.comparison.execute import (
    Outcome,
    execute,
    threads_per_run,
    write_label,
)
from recbole_invariant.comparison.oracle_gap import check_oracle
from recbole_invariant.comparison.page import write_section
from recbole_invariant.comparison.plan import Plan, check_baseline, make_plan
from recbole_invariant.comparison.search_runs import Search, finished, with_options_found
from recbole_invariant.comparison.searches import Searches, plan_searches
from recbole_invariant.comparison.specs import parse_models, parse_seeds
from recbole_invariant.comparison.summary import Comparison, summarise
from recbole_invariant.comparison.write import COMPARISON_FILE, write_comparison
from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.evaluation import records
from recbole_invariant.folder_lock import only_here


def compare(
    models: str | Sequence[str | type],
    dataset: str = "ml-100k",
    seeds: str | int | Sequence[int] = 5,
    first_seed: str | int | None = None,
    jobs: int = 1,
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] | None = None,
    baseline: str | None = None,
    out: str | Path | None = None,
    markdown: str | Path | None = None,
    command_line: Mapping[str, str] | None = None,
    command: str | None = None,
    report: Callable[[str], None] = print,
    oracle: str | None = None,
    tune: int | None = None,
    tune_options: Mapping[str, Any] | None = None,
    search: Search | None = None,
) -> Comparison:
    """Train and test every model with every seed on one dataset, and compare them.

    Every model gets the same data, splits, seeds and options of the user; its own options are
    those of dataset_configs or its defaults, with early stopping. A run is a process of its own
    and an ordinary run folder; runs that are done are reused, so a comparison that was interrupted
    goes on when it is called again.

    Args:
        models: names, or specs such as `PaInvRL[n_environments=5]`, or importable classes.
        dataset: name of the dataset.
        seeds: how many, or a list.
        first_seed: the first of a number of seeds; None is 2020, RecBole's default seed.
        jobs: runs at a time; the cores are shared out.
        config: options of all models, from Python.
        config_files: files of options, for all models; a section `models` speaks to one.
        baseline: label to test the others against; None takes the strongest plain baseline by
            validation.
        out: the comparison's folder; None is `runs/compare-<dataset>-<protocol>`.
        markdown: a Markdown page whose section for this dataset and protocol is written anew.
        command_line: options of all models, as text.
        command: how this was called, for the page.
        report: takes the lines of progress.
        oracle: label of a model that bounds what can be reached, such as one that is told the
            planted cue; a table says which share of the gap to it each model closes.
        tune: trials of a search of each model's options, the same number for all, on validation
            rows of the first seed; None searches nothing.
        tune_options: arguments of all searches, as `tune` takes them: `searcher`, `scheduler`,
            `cpus_per_trial`, ...; their objective is what selects the epochs of the runs.
        search: what searches a model; by default `tune`.

    Returns:
        The tables; `failures` says which runs are missing and why.

    Raises:
        InputError: something the user gave is wrong; nothing was run then.
        TrainingError: no run at all came to its end.
        KeyboardInterrupt: it was interrupted; the message says how much is done.
    """
    if not isinstance(jobs, int) or jobs < 1:
        raise InputError(f"jobs: expected an integer >= 1, not {jobs!r}.")
    asked = (models, dataset, seeds, first_seed, jobs, config, config_files, baseline, out)
    plan, searches = _planned(tune, tune_options, *asked, command_line, oracle)
    with only_here(plan.out) as lock:
        failures: list[str] = []
        try:
            if searches is not None:
                plan, failures = with_options_found(plan, searches, search, report)
            found, outcomes = _carry_out(plan, jobs, report, lock)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(_interrupted(plan)) from stop
        failures += [_failure(outcome) for outcome in outcomes if outcome.problem is not None]
        if not found:
            raise TrainingError("no run came to its end:\n" + "\n".join(failures))
        baseline = _if_run("baseline", baseline, found, failures)
        oracle = _if_run("oracle", oracle, found, failures)
        comparison = summarise(
            found, baseline, plan.table_metrics, failures=failures, oracle=oracle
        )
        write_comparison(comparison, plan.out, command)
        report(f"tables, tests and runs: {plan.out}")
    if markdown is not None:
        write_section(Path(markdown), comparison, command)
    return comparison


def _if_run(
    what: str, label: str | None, found: Sequence[FoundRun], failures: list[str]
) -> str | None:
    """Return the label if it has a run; where it has none, add that to the failures."""
    if label is None or any(run.label == label for run in found):
        return label
    failures.append(f"{what} {label}: none of its runs came to its end")
    return None


def plan_comparison(
    models: str | Sequence[str | type],
    dataset: str,
    seeds: str | int | Sequence[int],
    first_seed: str | int | None = None,
    jobs: int = 1,
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] | None = None,
    baseline: str | None = None,
    out: str | Path | None = None,
    command_line: Mapping[str, str] | None = None,
    oracle: str | None = None,
) -> Plan:
    """Say what `compare` would do; see there for the arguments.

    Raises:
        InputError: everything that is wrong, at once.
    """
    problems: list[str] = []
    specs, listed = [], [0]
    try:
        specs = parse_models(models)
        check_baseline(baseline, specs)
        check_oracle(oracle, baseline, [spec.label for spec in specs])
    except InputError as error:
        problems += error.problems
    try:
        listed = parse_seeds(seeds, first_seed)
    except InputError as error:
        problems += error.problems
    if not specs:
        raise InputError(problems)
    settled = {"torch_threads": str(threads_per_run(jobs)), "show_progress": "false"}
    settled = {key: text for key, text in settled.items() if key not in (config or {})}
    try:
        plan = make_plan(
            specs, dataset, listed, out, config, list(config_files or []), command_line, settled
        )
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    _require_own_folder(plan)
    return plan


def _planned(
    tune: int | None, tune_options: Mapping[str, Any] | None, *asked: Any
) -> tuple[Plan, Searches | None]:
    """Plan a comparison and its searches, if there are any; `asked` is of `plan_comparison`."""
    if tune is None:
        return plan_comparison(*asked), None
    from recbole_invariant.tuning.guards import visible_devices_kept

    with visible_devices_kept():
        plan = plan_comparison(*asked)
        return plan, plan_searches(plan, tune, tune_options or {})


def describe(
    tune: int | None = None, tune_options: Mapping[str, Any] | None = None, **asked: Any
) -> str:
    """Say what `compare` would run, and what is done already; see there for the arguments.

    The runs of lines that are to be searched first are not known before that.

    Raises:
        InputError: something the user gave is wrong.
    """
    plan = plan_comparison(**asked)
    if tune is None:
        return plan.describe()
    searches = plan_searches(plan, tune, tune_options or {})
    if all(search.is_done for search in searches.planned):
        plan, _ = with_options_found(plan, searches, finished, lambda _: None)
        return "\n".join([*searches.describe(), plan.describe()])
    runs = f"{len(plan.runs)} runs afterwards, with the options found; folder {plan.out}"
    return "\n".join([*searches.describe(), runs])


def _require_own_folder(plan: Plan) -> None:
    """Make sure that the folder holds no comparison of something else, which would be lost.

    Raises:
        InputError: it is one of another dataset or protocol.
    """
    path = plan.out / COMPARISON_FILE
    if not path.is_file():
        return
    content = records.read_json(path)
    there = content.get("dataset"), content.get("protocol")
    if there != (plan.dataset, plan.protocol):
        raise InputError(
            f"out: {plan.out} holds the comparison of {_setting(*there)}; this one is of "
            f"{_setting(plan.dataset, plan.protocol)}. Take another folder."
        )


def _setting(dataset: str | None, protocol: str | None) -> str:
    return f"{dataset}, protocol {protocol or 'none'}"


def _carry_out(
    plan: Plan, jobs: int, report: Callable[[str], None], lock: int
) -> tuple[list[FoundRun], list[Outcome]]:
    """Run what is not done; return all finished runs in the order of the table."""
    done = {run.folder for run in plan.runs if run.is_done}
    for run in plan.runs:
        if run.folder in done:
            write_label(run)
    waiting = [run for run in plan.runs if run.folder not in done]
    if done:
        report(f"{len(done)} of {len(plan.runs)} runs are done already")
    outcomes = execute(waiting, jobs, plan.out / "logs", report, lock=lock)
    found = []
    for run in sorted(plan.runs, key=lambda run: (run.position, run.seed)):
        if not run.is_done:
            continue
        read = read_run(run.folder, reused=run.folder in done)
        found.append(read)
        if read.record.get("control"):
            control = read_run(run.folder / read.record["control"], reused=read.reused)
            found.append(replace(control, position=read.position))
    return found, outcomes


def _interrupted(plan: Plan) -> str:
    done = sum(run.is_done for run in plan.runs)
    verb = "is" if done == 1 else "are"
    return (
        f"interrupted; {done} of {len(plan.runs)} runs {verb} done in {plan.out}: the same command "
        "goes on"
    )


def _failure(outcome: Outcome) -> str:
    return f"missing: {outcome.run.label}, seed {outcome.run.seed}: {outcome.problem}"
