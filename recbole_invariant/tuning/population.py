"""Population based training: members that do badly go on from a good one, with changed options.

Ray's scheduler decides who copies whom (Jaderberg et al., 2017); here it gets a population from the
driver, and a checkpoint that says no more than whose run folder to copy: that folder has the whole
state already.
"""

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Checkpoint
from ray.tune.schedulers import PopulationBasedTraining

from recbole_invariant.files import write_atomically
from recbole_invariant.interruption import CHECKPOINT
from recbole_invariant.trainer.checkpoint_folder import NEXT
from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.driver import Driver
from recbole_invariant.tuning.schedulers import METRIC, TIME, Journalled, number_of, watch
from recbole_invariant.tuning.space import Space
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial_folder import folder_name

POINTER_FILE = "member.json"


class JournalledPopulation(Journalled, PopulationBasedTraining):  # type: ignore[misc]
    """Ray's population based training over the driver's trials."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Add a member; one that goes on after a kill is where it was."""
        PopulationBasedTraining.on_trial_add(self, tune_controller, trial)
        number = number_of(trial)
        reports = self.driver.journal.trials[number].reports
        state = self._trial_state[trial]
        state.last_perturbation_time = max((one.validations for one in reports), default=0)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Tell the driver: without a searcher nobody else does."""
        self.driver.end_trial(number_of(trial))

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Tell the driver that a member's process died."""
        super().on_trial_error(tune_controller, trial)
        self.driver.end_trial(number_of(trial), crashed=True)

    def _exploit(self, tune_controller: Any, trial: Any, trial_to_clone: Any) -> None:
        """Let a member go on from another; it stays the trial that it is."""
        number, source = number_of(trial), number_of(trial_to_clone)
        super()._exploit(tune_controller, trial, trial_to_clone)
        options = dict(trial.config["member"]["options"])
        member = {**trial.config["member"], "number": number, "options": options}
        trial.set_config({**trial.config, "member": member})
        self.driver.journal.change(number, options, source)


def make_population(driver: Driver) -> JournalledPopulation:
    """Make the scheduler of a population.

    Args:
        driver: of the search; its grace period is the interval between two exchanges.
    """
    plan = driver.plan
    mutations = {one.name: mutation(one) for one in plan.space.dimensions}
    scheduler = JournalledPopulation(
        time_attr=TIME,
        metric=METRIC,
        mode="max" if plan.objectives[0].bigger else "min",
        perturbation_interval=plan.grace,
        hyperparam_mutations={"member": {"options": mutations}},
        custom_explore_fn=lambda config: inside(config, plan.space),
        log_config=False,
    )
    watch(scheduler, driver)
    return scheduler


def mutation(dimension: Dimension) -> list[Any] | Callable[[], Any]:
    """Return what Ray takes for an option: a list to move along, or a function that draws."""
    if dimension.kind == "choice":
        return list(dimension.values)
    return lambda: dimension.at(random.random())


def inside(config: dict[str, Any], space: Space) -> dict[str, Any]:
    """Bring options that were multiplied back into their ranges, whole ones to whole numbers."""
    options = config["member"]["options"]
    for dimension in space.dimensions:
        if dimension.kind != "choice" and dimension.name in options:
            options[dimension.name] = nearest(dimension, options[dimension.name])
    return config


def nearest(dimension: Dimension, value: float) -> Any:
    """Return the value of a range that is nearest to a number."""
    low, high = dimension.ends
    inner = min(max(float(value), low), high)
    if dimension.size is not None:
        # the last step may end before the range does
        index = round((inner - low) / (dimension.step or 1))
        return dimension.nth(min(index, dimension.size - 1))
    return round(inner) if dimension.kind == "logint" else dimension.rounded(inner)


def tell(number: int, told: dict[str, Any]) -> None:
    """Report to Ray with a checkpoint that names this member's run folder; Ray keeps a copy."""
    with tempfile.TemporaryDirectory(prefix="recbole-inv-") as place:
        content = json.dumps({"number": number})
        (Path(place) / POINTER_FILE).write_text(content, encoding="utf-8")
        tune.report(told, checkpoint=Checkpoint.from_directory(place))


def copy_source(number: int, source: int | None, storage: Storage, folder: Path) -> None:
    """Copy the state of the member that this one goes on from.

    Args:
        number: of this member.
        source: what the journal says, where the driver was killed before the copy was made; a
            checkpoint of Ray's is newer.
        storage: folder of the search.
        folder: run folder of this member.
    """
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as place:
            content = (Path(place) / POINTER_FILE).read_text(encoding="utf-8")
        source = int(json.loads(content)["number"])
    if source is None or source == number:
        return
    state = storage.read(f"{folder_name(source)}/{CHECKPOINT.as_posix()}")
    if state is not None:
        write_atomically(folder / CHECKPOINT, state)
        # one that a kill kept from its name would count as newer
        (folder / CHECKPOINT).with_name(NEXT).unlink(missing_ok=True)
