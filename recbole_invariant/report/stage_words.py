"""What a run's stages came to, in words: the model beneath, the weights kept, limits reached."""

from collections.abc import Mapping, Sequence
from typing import Any

ENDS = {
    "pretrain": ("plain backbone", "plain backbone of stage"),
    "best": ("alternate best", "best of stage"),
    "last": ("alternate last", "last of stage"),
}
"""Value of `kept` in a run's diagnostics -> its short name, and the words before its stage."""

LIMIT = "limit"
"""What `ended` of a stage says where neither early stopping nor the stage itself ended it."""


def wrapped_name(record: Mapping[str, Any]) -> str | None:
    """Return the name of the model that a run's model wraps, None where it wraps none."""
    diagnostics = record.get("diagnostics") or {}
    name = diagnostics.get("backbone") or diagnostics.get("encoder")
    return str(name) if name else None


def full_name(record: Mapping[str, Any]) -> str:
    """Name a run's model and, where it wraps another one, that one: `IDEA over GRU4Rec`."""
    wrapped = wrapped_name(record)
    return f"{record['model']} over {wrapped}" if wrapped else str(record["model"])


def kept_words(record: Mapping[str, Any]) -> str | None:
    """Say which end of its stages a run kept, e.g. `best of stage 'alternate'`; None without."""
    diagnostics = record.get("diagnostics") or {}
    kept = diagnostics.get("kept")
    end = diagnostics.get(kept) if kept in ENDS else None
    return f"{ENDS[str(kept)][1]} '{end['stage']}'" if end else None


def chooser_words(record: Mapping[str, Any]) -> str:
    """Say what chose between the ends of the stages: the rows of validation, or the option."""
    keep = ((record.get("options") or {}).get("keep") or {}).get("value", "better")
    if keep != "better":
        return f"`keep: {keep}` chose, not validation between the stages"
    if (record.get("diagnostics") or {}).get("best") is None:
        return "there is no other stage"
    return "chosen by validation between the stages"


def kept_notes(record: Mapping[str, Any]) -> list[str]:
    """Say which weights a run kept, with the scores of what it might have kept instead.

    Args:
        record: the content of `run.json`.

    Returns:
        One line; none for a model whose stages do not compete.
    """
    words = kept_words(record)
    if words is None:
        return []
    diagnostics = record["diagnostics"]
    kept, metric = diagnostics["kept"], record["selection"]["metric"]
    rivals = [name for name in ENDS if name != kept and diagnostics.get(name)]
    scores = [f"{ENDS[name][0]} {_score(diagnostics[name], metric)}" for name in rivals]
    own = (diagnostics[kept].get("valid") or {}).get(metric)
    if own is None:
        scores = []
    else:
        rows = record["selection"].get("name", "valid")
        scores.insert(0, f"{rows} {metric} {own:.4f}")
    said = f" ({'; '.join(scores)})" if scores else ""
    epoch = diagnostics[kept].get("epoch")
    at = "" if epoch is None else f", epoch {epoch}"
    return [f"{record['model']} kept: {words}{at}{said}; {chooser_words(record)}"]


def _score(end: Mapping[str, Any], metric: str) -> str:
    value = (end.get("valid") or {}).get(metric)
    shown = "not validated" if value is None else f"{value:.4f}"
    return f"{shown}, epoch {end['epoch']}"


def limited_stages(record: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return name and epochs of the stages that ended at their limit; older records say of none."""
    return [
        (str(stage["name"]), int(stage["epochs"]))
        for stage in record.get("stages") or []
        if stage.get("ended") == LIMIT
    ]


def limit_words(stage: str, of: str, epochs: Sequence[int], record: Mapping[str, Any]) -> str:
    """Say that a stage ended at its limit of epochs, and what that puts in doubt.

    Args:
        stage: its name.
        of: whose stage it is, e.g. a label.
        epochs: its limit in each run that is spoken of.
        record: the `run.json` of one of them.
    """
    low, high = min(epochs), max(epochs)
    limit = str(low) if low == high else f"{low} to {high}"
    words = f"{stage} of {of} ended at its limit of {limit} epoch{'' if limit == '1' else 's'}"
    if stage == "pretrain" and (record.get("diagnostics") or {}).get("backbone"):
        doubted = "its plain backbone, and a baseline held against it, may be"
        return f"{words}: {doubted} trained too little"
    return f"{words}: it may be trained too little"


def limit_notes(record: Mapping[str, Any]) -> list[str]:
    """Say which of a run's stages ended at their limit, a line each."""
    return [
        limit_words(stage, record["model"], [epochs], record)
        for stage, epochs in limited_stages(record)
    ]
