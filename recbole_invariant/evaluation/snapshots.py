"""Measure the weights that training put aside, once selection is over."""

from collections.abc import Sequence
from typing import Any

from recbole_invariant.evaluation.recording import evaluate_recorded
from recbole_invariant.evaluation.snapshot_records import DESCRIPTION
from recbole_invariant.preparation import Prepared
from recbole_invariant.trainer.checkpoint import clone_state, restore_state
from recbole_invariant.trainer.stages import StagedTrainer


def measure_snapshots(
    trainer: Any, data: Prepared, tests: Sequence[str], selected_on: str | None
) -> dict[str, dict[str, Any]]:
    """Measure every snapshot on the tests; the model holds its own weights again afterwards.

    Args:
        trainer: a trainer that holds the selected weights; one without snapshots gives nothing.
        data: the run's data; its tests are open.
        tests: names of the tests to measure.
        selected_on: name of the rows that validation was on, such as `valid`; None leaves out
            what it said, e.g. where a test was asked (the selection `oracle`).

    Returns:
        Name -> `stage`, `epoch`, `frontier`, and metric -> value under the name of each test and,
        where a snapshot was validated, under `selected_on`.

    Raises:
        SealedError: the tests are not open yet.
        InputError: a snapshot's file is gone.
    """
    snapshots = getattr(trainer, "snapshots", None)
    if not snapshots:
        return {}
    loaders = {name: data.loaders.tests[name] for name in tests}
    selected, found = clone_state(trainer.model), {}
    try:
        for kept in snapshots:
            restore_state(trainer.model, snapshots.state(kept.name))
            entry: dict[str, Any] = {name: getattr(kept, name) for name in DESCRIPTION}
            if kept.valid is not None and selected_on is not None:
                entry[selected_on] = kept.valid
            for name, loader in loaders.items():
                entry[name] = evaluate_recorded(trainer, loader).metrics
            found[kept.name] = entry
    finally:
        restore_state(trainer.model, selected)
    return found


def no_frontier(trainer: Any) -> str | None:
    """Say why the option `frontier` records nothing with this trainer; None where it does.

    Args:
        trainer: the trainer of a run, before its training.
    """
    config = trainer.config
    if not config["frontier"]:
        return None
    if not isinstance(trainer, StagedTrainer):
        reason = "RecBole's own training loop keeps no weights by epoch"
    elif not trainer.records_frontier:
        reason = "one pass over the data has no epochs"
    elif config["refit_epochs"]:
        reason = "with refit_epochs no epoch is validated, and only those are kept"
    elif config["eval_step"] <= 0:
        reason = "with eval_step 0 no epoch is validated, and only those are kept"
    else:
        return None
    return f"frontier: none is recorded of {type(trainer.model).__name__}: {reason}"
