"""`tune`: from what the user asked to the best options, refitted and tested once."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recbole_invariant.comparison.specs import importable_name
from recbole_invariant.evaluation import records
from recbole_invariant.tuning.asked import Asked
from recbole_invariant.tuning.best_yaml import BEST_FILE, best_yaml
from recbole_invariant.tuning.driver import Driver, require_proposer
from recbole_invariant.tuning.guards import only_driver, resumption_noted, visible_devices_kept
from recbole_invariant.tuning.places import known_plan, make_place, require_free, require_name
from recbole_invariant.tuning.plan import SearchPlan, checked, read_plan, write_plan
from recbole_invariant.tuning.planning import grid_note, make_plan
from recbole_invariant.tuning.preflight import fly
from recbole_invariant.tuning.ray_session import ray_session, require_cluster
from recbole_invariant.tuning.refit_run import refit_best
from recbole_invariant.tuning.resources import machine_cpus, machine_gpus, require_resources
from recbole_invariant.tuning.space import Space
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.summary import SUMMARY_FILE, Summary, summarise, trial_of
from recbole_invariant.tuning.trial_table import trial_markdown, trial_table

TABLE_FILE = "table.md"
RAY_FOLDER = "ray"
"""Ray's own files in the folder of a search."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        folder: of the search: a local path or a URL.
        summary: the content of summary.json.
        table: of the trials, as text.
        best_options: options of the best trial; empty where it is the one with the defaults.
        refit: the run that was trained anew with them and tested; None where none was asked for.
    """

    folder: str
    summary: Summary
    table: str
    best_options: dict[str, Any]
    refit: Any = None


def tune(
    model: str | type,
    dataset: str = "ml-100k",
    trials: int | None = None,
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] | None = None,
    command_line: Mapping[str, str] | None = None,
    storage: str | Path = "runs",
    run_name: str | None = None,
    space: str | Path | Space | Mapping[str, Any] | None = None,
    searcher: str = "random",
    scheduler: str | None = None,
    objectives: str | Sequence[str] = (),
    grace_period: int | None = None,
    reduction_factor: float = 3,
    search_seed: int = 0,
    cpus_per_trial: float = 1,
    gpus_per_trial: float = 0,
    max_concurrent: int | None = None,
    address: str | None = None,
    refit: str = "train",
    go_on: bool = False,
    report: Callable[[str], None] = print,
) -> SearchResult:
    """Search a model's options on validation, then train the best ones and open the tests once.

    Trial 0 has the model's defaults. Trials neither compute nor write anything of a test.

    Args:
        model: name or dotted path of the model, or a class that can be imported.
        dataset: name of the dataset.
        trials: how many, the one of the defaults included; None is 20, and with a grid all of it.
        config: options of every trial, from Python; one that is in the space is not searched.
        config_files: YAML files of such options.
        command_line: such options as text.
        storage: where the search's folder is made: a folder, or a URL that fsspec knows.
        run_name: name of that folder; by default `tune-`, model, dataset and time.
        space: a YAML or text file of options to search, or what would stand in it, such as
            `{"learning_rate": {"loguniform": [1e-4, 1e-2]}}`; None is that of
            properties/tune/<Model>.yaml.
        searcher: `random`, `grid`, `optuna` or `hyperopt`.
        scheduler: `asha`, `median`, `pbt` or `none`; None is `asha` for one objective.
        objectives: e.g. `valid:ndcg@10`; several give a Pareto set. None is what selects epochs.
        grace_period: validations of the final stage before a trial may be stopped; None is a
            tenth of the most that there are, at least 4.
        reduction_factor: one in so many trials passes a rung of ASHA.
        search_seed: of the proposals; `seed` is an option of the runs.
        cpus_per_trial: CPUs of a trial, which are its threads too.
        gpus_per_trial: GPUs of a trial; a fraction is a share of one.
        max_concurrent: trials at a time at most.
        address: of a Ray cluster, or `auto`; None starts Ray on this machine's loopback.
        refit: `train` trains the best options as an ordinary run, `train+valid` on validation rows
            too for the epochs that were best, `none` tests nothing.
        go_on: where the folder of that name holds this very search, go on with it.
        report: takes the lines of progress.

    Raises:
        InputError: something the user gave is wrong; nothing was written then.
        KeyboardInterrupt: it was interrupted; a note of the exception says how to go on.
    """
    asked = Asked(
        model=importable_name(model, "model"),
        dataset=dataset,
        trials=trials,
        config=dict(config or {}),
        config_files=[str(path) for path in config_files or []],
        command_line=dict(command_line or {}),
        space=space,
        searcher=searcher,
        scheduler=scheduler,
        objectives=objectives,
        grace_period=grace_period,
        reduction_factor=reduction_factor,
        search_seed=search_seed,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        address=address,
        refit=refit,
    )
    with visible_devices_kept():
        plan = _planned(asked)
    parent = Storage.open(storage)
    if go_on and run_name is not None:
        require_name(run_name)
        known = known_plan(parent.child(run_name), plan)
        if known is not None:
            known = replace(known, address=address, max_concurrent=max_concurrent)
            return _carry_out(known, parent.child(run_name), report)
    folder = make_place(parent, run_name, plan)
    folder.check_writable()
    with visible_devices_kept():
        flown = fly(plan)
    for line in _notes(plan):
        report(line)
    report(flown.describe(plan, trials_at_a_time(plan)))
    plan = replace(plan, max_validations=flown.max_validations)
    return _carry_out(plan, folder, report, is_new=True)


def resume(
    folder: str | Path,
    trials: int | None = None,
    address: str | None = None,
    max_concurrent: int | None = None,
    refit: str | None = None,
    report: Callable[[str], None] = print,
) -> SearchResult:
    """Go on with a search that was stopped, or that is to have more trials.

    Args:
        folder: of the search: a local path or a URL.
        trials: another number of them; None is the one of the plan.
        address: of a Ray cluster; None is this machine, whatever the search began on.
        max_concurrent: trials at a time; None is the plan's number.
        refit: as in `tune`; None is what the plan says.
        report: takes the lines of progress.

    Raises:
        InputError: there is no search in the folder, or it cannot go on here.
    """
    storage = Storage.open(folder, option="resume")
    there = read_plan(storage)
    changed = {"trials": trials, "max_concurrent": max_concurrent, "refit": refit}
    given: dict[str, Any] = {key: value for key, value in changed.items() if value is not None}
    plan = checked(replace(there, address=address, **given))
    require_resources(None, plan.cpus_per_trial, plan.gpus_per_trial, plan.address)
    require_proposer(plan)
    require_cluster(plan.address)
    storage.check_writable()
    return _carry_out(plan, storage, report)


def describe(
    model: str | type,
    dataset: str = "ml-100k",
    trials: int | None = None,
    **asked: Any,
) -> str:
    """Say what `tune` would search, without training anything; see there for the arguments.

    Raises:
        InputError: something the user gave is wrong.
    """
    with visible_devices_kept():
        own = {key: value for key, value in asked.items() if key not in ("storage", "run_name")}
        plan = _planned(Asked(importable_name(model, "model"), dataset, trials, **own))
    objectives = ", ".join(objective.name for objective in plan.objectives)
    given = ", ".join(f"{key}={value}" for key, value in plan.options.items())
    lines = [
        f"{plan.model} on {plan.dataset}, protocol {plan.protocol or 'none'}: {plan.trials} trials "
        f"by {plan.searcher}, scheduler {plan.scheduler}, objective {objectives}",
        f"space {plan.space.source}:",
        *(f"  {line}" for line in plan.space.describe()),
        *_notes(plan),
        f"fixed: {given or 'nothing'}; "
        f"seed {plan.seed}; {trials_at_a_time(plan)} trials at a time here; refit {plan.refit}",
    ]
    return "\n".join(lines)


def _notes(plan: SearchPlan) -> list[str]:
    """Say what of the space is not searched."""
    fixed = plan.fixed_by_user
    notes = [f"fixed, not searched: {', '.join(fixed)}"] if fixed else []
    grid = grid_note(plan)
    return [*notes, *([grid] if grid else [])]


def _planned(asked: Asked) -> SearchPlan:
    """Check what is asked and make the plan.

    Raises:
        InputError: what is wrong.
    """
    require_resources(None, asked.cpus_per_trial, asked.gpus_per_trial, asked.address)
    plan = make_plan(asked)
    require_proposer(plan)
    require_cluster(asked.address)
    return plan


def _carry_out(
    plan: SearchPlan, storage: Storage, report: Callable[[str], None], is_new: bool = False
) -> SearchResult:
    """Run what is left of a search, sum it up, and refit.

    Raises:
        InputError: another program is at it, or began it while this one was in its pre-flight.
    """
    with only_driver(storage), resumption_noted(storage):
        if is_new:
            require_free(storage)
        write_plan(storage, plan)
        driver = Driver(plan, storage, report)
        if driver.n_left:
            where = "on this machine" if plan.address is None else f"at {plan.address}"
            report(
                f"{driver.n_left} trials to run with Ray {where}; they log in trials/NNN/log.txt"
            )
            _run_trials(driver)
            _tidy(storage)
        trials = sorted(driver.journal.trials.values(), key=lambda trial: trial.number)
        summary = summarise(plan.record(), trials, driver.journal.seconds)
        _write_results(storage, summary)
        table = trial_table(summary)
        report(table)
        best = trial_of(summary, summary["best"])
        if best is None or plan.refit == "none":
            return SearchResult(storage.place, summary, table, best["options"] if best else {})
        with visible_devices_kept():
            made = refit_best(plan, storage, best, report)
        return SearchResult(storage.place, summary, table, best["options"], made)


def _run_trials(driver: Driver) -> None:
    """Start or join a Ray and run the trials there."""
    plan = driver.plan
    with ray_session(plan.address) as session:
        # imports Ray, which must know by then where to listen
        from recbole_invariant.tuning.ray_search import run_search

        require_resources(session, plan.cpus_per_trial, plan.gpus_per_trial, plan.address)
        if plan.address is not None:
            from recbole_invariant.tuning.worker_checks import check_workers

            data = None if plan.data_path is None else Path(plan.data_path) / plan.dataset
            own = [plan.model.rpartition(".")[0]] if "." in plan.model else []
            check_workers(session, data, driver.storage, own)
        run_search(driver, RAY_FOLDER)


def _tidy(storage: Storage) -> None:
    """Remove Ray's own files, pickles that nothing of ours reads, once its part is over."""
    if storage.is_local:
        shutil.rmtree(storage.path / RAY_FOLDER, ignore_errors=True)


def trials_at_a_time(plan: SearchPlan) -> int:
    """Return how many trials this machine runs side by side; of a cluster nothing is known yet."""
    here = int(machine_cpus() // plan.cpus_per_trial)
    if plan.gpus_per_trial:
        here = min(here, int(machine_gpus() / plan.gpus_per_trial))
    return max(1, min(here, plan.trials, plan.max_concurrent or here))


def _write_results(storage: Storage, summary: Summary) -> None:
    """Write summary.json, table.md and best.yaml."""
    storage.write(SUMMARY_FILE, records.json_text(summary))
    storage.write(TABLE_FILE, trial_markdown(summary))
    if summary["best"] is not None:
        storage.write(BEST_FILE, best_yaml(summary, storage.path if storage.is_local else None))
