"""Names of test sets and metrics, and numbers, as a reader sees them."""

from collections.abc import Sequence
from math import isfinite

from recbole.evaluator.register import metrics_dict

DASH = "\N{EN DASH}"
"""Stands for a missing value, and between two ends."""

ABBREVIATIONS = frozenset({"ndcg", "mrr", "map", "auc", "gauc", "mae", "rmse"})


def metric_title(metric: str) -> str:
    """Write a metric's name: `ndcg@10` is NDCG@10, `recall@10` is Recall@10."""
    name, at, k = metric.partition("@")
    return (name.upper() if name in ABBREVIATIONS else name.capitalize()) + at + k


def set_title(test: str) -> str:
    """Write a test set's name: `iid` is IID, `ood_popularity_2` is OOD: popularity 2.

    The test of the protocol `random` has no shift and is called a control.
    """
    if test == "ood_random":
        return "control (random)"
    if test.startswith("ood_"):
        return f"OOD: {shift_title(test)}"
    return "IID" if test == "iid" else test.replace("_", " ")


def shift_title(test: str) -> str:
    """Write what a shifted test shifts: `ood_popularity_2` is popularity 2."""
    return test.removeprefix("ood_").replace("_", " ")


def protocol_title(protocol: str | None) -> str:
    """Write a protocol's name; without one the split is the data set's own."""
    return f"protocol {protocol}" if protocol else "split of its own files or RecBole's"


def smaller_is_better(metric: str) -> bool:
    """Say whether RecBole counts a lower value of the metric as better; False for unknown ones."""
    known = metrics_dict.get(metric.partition("@")[0])
    return bool(getattr(known, "smaller", False))


def number(value: float | None, digits: int = 4) -> str:
    """Write a number; a missing one is a dash."""
    if value is None or not isfinite(value):
        return DASH
    return f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """Write a duration: 3.2 s, 4 min 10 s, 2 h 05 min."""
    if value is None or not isfinite(value):
        return DASH
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def roughly(value: float) -> str:
    """Write a duration that is estimated: 80 s, 12 min, 2.5 h."""
    if value < 90:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def p_value(value: float) -> str:
    """Write a p-value."""
    if not isfinite(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Write names as a list in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
