"""Which models can say anything about users or items that have no training row."""

from typing import Any

from recbole.utils import ModelType

from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.errors import InputError


def unscored(test: str, parts: Parts, model: Any, config: Any, dataset: Any) -> str | None:
    """Say why a part is not measured for a model; None where it is.

    Args:
        test: name of the part.
        parts: the run's parts.
        model: the model.
        config: reads `MODEL_TYPE` and `model`.
        dataset: the data set, for its item and user columns.
    """
    if test not in parts.cold:
        return None
    kind = parts.notes.get("kind") or parts.notes["by"]
    return why_not_scored(test, kind, model, config, dataset)


def require_scored(split: str | None, parts: Parts, model: Any, config: Any, dataset: Any) -> None:
    """Make sure that what selects the weights is something the model can score.

    Raises:
        InputError: the selecting rows are cold, and the model's scores for them mean nothing.
    """
    if split is None:
        return
    reason = unscored(split, parts, model, config, dataset)
    if reason is not None:
        raise InputError(f"selection: {config['selection']}: {reason}; set selection: valid.")


def why_not_scored(test: str, kind: str, model: Any, config: Any, dataset: Any) -> str | None:
    """Say why a model's scores for cold users or items would mean nothing.

    Models of ours that score from item features say so by `uses_item_features`. Context-aware
    models embed the columns of the .item or .user file beside the id.

    Args:
        test: name of the test set.
        kind: what has no training row, `items` or `users`.
        model: the model.
        config: reads `MODEL_TYPE` and `model`.
        dataset: the data set, for its item and user columns.

    Returns:
        The reason, or None where the model can score them.
    """
    if kind == "items" and getattr(model, "uses_item_features", False):
        return None
    table = dataset.item_feat if kind == "items" else dataset.user_feat
    if config["MODEL_TYPE"] == ModelType.CONTEXT and table is not None and len(table.columns) > 1:
        return None
    return (
        f"{test} is not measured for {config['model']}: the vectors of held-out {kind} are never "
        "trained, and it reads nothing else"
    )
