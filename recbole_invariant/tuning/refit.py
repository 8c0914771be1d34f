"""How long a model is trained when its validation rows are trained on too."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.registry import ModelEntry
from recbole_invariant.trainer.host import is_staged

TRAIN_AND_VALID = "train+valid"
"""The refit on validation rows too, for the epochs that the best trial found."""

PRETRAIN, LAST = "pretrain", "last"
"""Ends of stages that a run may keep in the place of the best epoch; see `keep` of IDEA."""


def refit_problems(refit: str, entry: ModelEntry, config: Any) -> list[str]:
    """Say why a search cannot end in the refit that is asked for, or is none, before it begins.

    Args:
        refit: `train`, `train+valid` or `none`.
        entry: the model.
        config: its resolved options.
    """
    problems = []
    if config["refit_epochs"]:
        problems.append(
            f"{config.layers['refit_epochs']}: refit_epochs leaves no validation to search by; "
            f"leave it away, the search finds it out itself: --refit {TRAIN_AND_VALID}."
        )
    if refit == TRAIN_AND_VALID and not is_staged(entry, config):
        problems.append(
            f"refit: {TRAIN_AND_VALID}: {entry.name} is trained by a loop of RecBole's own, which "
            "has no stages of given length; take --refit train."
        )
    return problems


def refit_epochs_of(record: Mapping[str, Any]) -> dict[str, int]:
    """Take the epochs of each stage from a run that was validated, for the option `refit_epochs`.

    A stage that was validated trains up to and with its best epoch, or, where the run kept the
    last epoch of its last stage, up to that one. A stage that was not validated trains as long as
    it did; one without epochs (labels that are given) is left out. These are epochs, not steps:
    with more rows an epoch has more steps.

    Args:
        record: the content of a finished run's or trial's `run.json`.

    Returns:
        Stage -> epochs, >= 1, in the order of the stages.

    Raises:
        InputError: the run has no stages that can be trained again for a number of epochs: its
            trainer has a loop of RecBole's own, its record is older, or it is a refit itself.
    """
    stages = record.get("stages") or []
    if not stages or any("best_epoch" not in stage for stage in stages):
        raise InputError(
            f"refit: the record of {record.get('model')} does not say which epochs its stages "
            "kept: it was trained by a loop of RecBole's own, or by an older version. Take "
            "--refit train, which selects the weights on validation rows again."
        )
    if (record.get("selection") or {}).get("name") == "refit":
        raise InputError("refit: this run is a refit itself; nothing was validated in it.")
    epochs = {stage["name"]: _epochs(stage) for stage in stages if stage["epochs"]}
    kept = _kept(record)
    if kept == LAST:
        end = record["diagnostics"][LAST]
        epochs[end["stage"]] = int(end["epoch"]) + 1
    return epochs


def refit_options(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options by which a run is trained again on training and validation rows.

    Args:
        record: the content of a finished run's or trial's `run.json`.

    Returns:
        `refit_epochs` and, of a model that chooses between the ends of its stages, `keep`: there
        is no validation that could choose again.

    Raises:
        InputError: as `refit_epochs_of`.
    """
    kept = _kept(record)
    chosen = {} if kept is None else {"keep": kept}
    return {"refit_epochs": refit_epochs_of(record), **chosen}


def _epochs(stage: Mapping[str, Any]) -> int:
    """Return how long a stage trains."""
    best = stage["best_epoch"]
    return int(stage["epochs"]) if best is None else int(best) + 1


def _kept(record: Mapping[str, Any]) -> str | None:
    """Return which end of its stages a run kept; None for a model without such a choice."""
    kept = (record.get("diagnostics") or {}).get("kept")
    return None if kept is None else str(kept)
