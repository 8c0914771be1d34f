"""The search as Ray Tune sees it: a searcher, a scheduler and a function, all over the driver."""

import functools
from dataclasses import asdict
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from recbole_invariant.tuning.driver import Driver, Handed
from recbole_invariant.tuning.population import make_population
from recbole_invariant.tuning.ray_trial import run_in_worker, trial_name
from recbole_invariant.tuning.schedulers import make_scheduler, number_of

DEAD_WORKERS = 2
"""How often a trial whose process died goes on from its checkpoint."""


class DriverSearcher(Searcher):  # type: ignore[misc]
    """Gives Ray the driver's trials.

    Args:
        driver: of the search.
    """

    def __init__(self, driver: Driver) -> None:
        super().__init__(metric=None, mode=None)
        self._driver = driver
        self._numbers: dict[str, int] = {}

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any
    ) -> bool:
        """Accept whatever Ray says; the driver knows the objectives."""
        return True

    def suggest(self, trial_id: str) -> Any:
        """Return the config of the next trial, or `FINISHED`."""
        handed = self._driver.next_trial()
        if handed is None:
            return Searcher.FINISHED
        self._numbers[trial_id] = handed.number
        return member_of(handed)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the driver that a trial is over, however it ended."""
        self._driver.end_trial(self._numbers[trial_id], crashed=error)

    def save(self, checkpoint_path: str) -> None:
        """Write nothing: the journal has it all."""

    def restore(self, checkpoint_path: str) -> None:
        """Read nothing: Ray's files are pickles."""


def member_of(handed: Handed) -> dict[str, Any]:
    """Return the config of one of Ray's trials."""
    return {"member": asdict(handed)}


def _population(driver: Driver) -> dict[str, Any]:
    """Hand out all members at once, as the grid that Ray wants of a population."""
    members = [member_of(handed)["member"] for handed in iter(driver.next_trial, None)]
    return {"member": tune.grid_search(members)}


def run_search(driver: Driver, folder: str) -> None:
    """Run what is left of a search; a Ray is connected.

    Args:
        driver: of the search.
        folder: in which Ray keeps its own files, below that of the search.
    """
    plan, storage = driver.plan, driver.storage
    function = functools.partial(run_in_worker, plan=plan, storage=storage)
    resources = {"cpu": plan.cpus_per_trial, "gpu": plan.gpus_per_trial}
    is_population = plan.scheduler == "pbt"
    tuner = tune.Tuner(
        tune.with_resources(function, resources),
        param_space=_population(driver) if is_population else {},
        tune_config=tune.TuneConfig(
            num_samples=1 if is_population else driver.n_left,
            search_alg=None if is_population else DriverSearcher(driver),
            scheduler=make_population(driver) if is_population else make_scheduler(driver),
            max_concurrent_trials=plan.max_concurrent,
            trial_name_creator=lambda trial: trial_name(number_of(trial)),
            trial_dirname_creator=lambda trial: trial_name(number_of(trial)),
            # a worker that has imported torch and RecBole takes the next trial
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=folder,
            storage_path=str(storage.place),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=0 if is_population else DEAD_WORKERS),
        ),
    )
    tuner.fit()
