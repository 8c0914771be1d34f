"""Checks of the resolved options that involve more than one of them, or RecBole's lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from recbole.evaluator import metric_types, metrics_dict
from recbole.utils import EvaluatorType, ModelType

from recbole_invariant.configuration.layers import Layer, merged, origins
from recbole_invariant.errors import suggest

SEQUENCE_OPTIONS = (
    "MAX_ITEM_LIST_LENGTH",
    "ITEM_LIST_LENGTH_FIELD",
    "LIST_SUFFIX",
    "POSITION_FIELD",
    "balanced_attribute",
)
"""Options of sequential datasets, which no other dataset reads."""


def metric_problems(values: Mapping[str, Any], origin: Mapping[str, str]) -> list[str]:
    """Check `metrics`, `topk` and `valid_metric`, alone and against each other.

    Args:
        values: all options.
        origin: option -> the layer that set it.
    """
    metrics, problems = _as_list(values["metrics"]), []
    names = [cls.__name__ for cls in metrics_dict.values()]
    for metric in metrics:
        if not isinstance(metric, str) or metric.lower() not in metric_types:
            problems.append(
                f"{origin['metrics']}: metrics: RecBole has no metric '{metric}'."
                f"{suggest(str(metric), names)}"
            )
    if not metrics:
        problems.append(f"{origin['metrics']}: metrics is empty; name at least one metric.")
    kinds = {metric_types[str(m).lower()] for m in metrics if str(m).lower() in metric_types}
    if len(kinds) > 1:
        problems.append(
            f"{origin['metrics']}: metrics: {metrics} are partly of rankings (Recall, ...) and "
            "partly of values (AUC, ...); RecBole measures one kind in a run."
        )
    ranking = kinds != {EvaluatorType.VALUE}
    topk = _as_list(values["topk"])
    bad = [k for k in topk if isinstance(k, bool) or not isinstance(k, int) or k < 1]
    if ranking and (bad or not topk):
        problems.append(
            f"{origin['topk']}: topk must be one or more whole numbers >= 1, e.g. [10, 20]; "
            f"it is {values['topk']!r}."
        )
    if (topk and not bad) or not ranking:
        # With a wrong metric, only the k can be judged.
        measured = names if problems else metrics
        problems += _valid_metric_problems(values, origin, measured, topk, ranking)
    return problems


def _valid_metric_problems(
    values: Mapping[str, Any],
    origin: Mapping[str, str],
    metrics: Sequence[str],
    topk: Sequence[int],
    ranking: bool,
) -> list[str]:
    chosen = str(values["valid_metric"])
    allowed = [f"{metric}@{k}" for metric in metrics for k in topk] if ranking else list(metrics)
    if chosen.lower() in (name.lower() for name in allowed):
        return []
    return [
        f"{origin['valid_metric']}: valid_metric '{chosen}' is not among what is measured: metrics "
        f"{values['metrics']} ({origin['metrics']})"
        + (f" at topk {values['topk']} ({origin['topk']})" if ranking else "")
        + f".{suggest(chosen, allowed)} Set valid_metric, or the other two, so that they agree."
    ]


def sequence_problems(user: Sequence[Layer], defaults: Mapping[str, Any], model: str) -> list[str]:
    """Refuse options of sequential datasets that the user changed for another kind of model."""
    kind = defaults["MODEL_TYPE"]
    if kind is ModelType.SEQUENTIAL:
        return []
    origin = origins(user)
    return [
        f"{origin[key]}: option '{key}' is for datasets of sequential models; '{model}' is a "
        f"{kind.name.lower()} model and reads no item sequences. Leave it out."
        for key, value in merged(user).items()
        if key in SEQUENCE_OPTIONS and value != defaults.get(key)
    ]


def negatives_of_sequences(
    values: Mapping[str, Any], origin: Mapping[str, str], model_class: type[Any], user: set[str]
) -> Layer | str | None:
    """Settle `train_neg_sample_args` of a sequential model by its loss.

    Cross entropy takes no negatives, and RecBole refuses its own default there: unless the user set
    one, it becomes null. BPR needs them, save where RecBole's masking draws its own.

    Returns:
        A layer that sets it, a problem, or None where there is nothing to do.
    """
    if (
        values["MODEL_TYPE"] is not ModelType.SEQUENTIAL
        or hasattr(model_class, "input_type")
        or values.get("loss_type") not in ("CE", "BPR")
    ):
        return None
    if values["loss_type"] == "BPR":
        chosen = "train_neg_sample_args" in user and values["train_neg_sample_args"] is None
        masks = values.get("transform") == "mask_itemseq"
        return _without_negatives(origin) if chosen and not masks else None
    if values.get("train_neg_sample_args") is None:
        return None
    if "train_neg_sample_args" in user:
        return (
            f"{origin['train_neg_sample_args']}: train_neg_sample_args must be null with "
            "loss_type CE, which compares with all items; loss_type BPR, where a model takes it, "
            "samples them."
        )
    return Layer("loss_type CE takes no negatives", {"train_neg_sample_args": None})


def _without_negatives(origin: Mapping[str, str]) -> str:
    return (
        f"{origin['train_neg_sample_args']}: train_neg_sample_args: null with loss_type BPR, which "
        "compares a target with a sampled item; leave it out, or take loss_type CE."
    )


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
