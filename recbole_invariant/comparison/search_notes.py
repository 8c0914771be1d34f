"""What a reader of a comparison has to know of the searches that chose its options."""

from collections.abc import Iterator, Mapping
from typing import Any

from recbole_invariant.comparison.collect import ByLabel


def search_notes(by_label: ByLabel) -> Iterator[str]:
    """Say with which budget options were searched for, and what was found.

    Args:
        by_label: runs of each label, controls left out.
    """
    found = {label: runs[0].search for label, runs in by_label.items() if runs[0].search}
    budgets: dict[str, list[str]] = {}
    for label, search in found.items():
        budgets.setdefault(_budget(search), []).append(label)
    for budget, labels in budgets.items():
        yield (
            f"options of {', '.join(labels)} are the best of a search on validation, no test "
            f"opened: {budget}"
        )
    if found and len({run.seed for runs in by_label.values() for run in runs}) > 1:
        yield (
            "the searches saw the split of one seed; where a seed has a split of its own, rows "
            "that helped to choose options may be test rows of another seed"
        )
    for label, search in found.items():
        yield f"{label}: {_result(search)}"


def _budget(search: Mapping[str, Any]) -> str:
    """Say what a search was allowed."""
    return (
        f"{search['trials']} trials each, the defaults among them, by {search['searcher']}, "
        f"scheduler {search['scheduler']}, objective {search['objective']}, seed {search['seed']}"
    )


def _result(search: Mapping[str, Any]) -> str:
    """Say what a search found, and how its trials ended where not all were trained to the end."""
    value, default = search["value"], search["default"]
    beside = "failed" if default is None else f"{default:.4f}"
    reached = f"{search['objective']} {value:.4f}, the defaults {beside}"
    words = {"stopped": "stopped early", "failed": "failed"}
    ended = [f"{search[how]} {said}" for how, said in words.items() if search[how]]
    ended.append(f"the search took {search['seconds']:.0f} s")
    reached += "; " + ", ".join(ended)
    if not search["options"]:
        return f"the defaults are the best of the search ({reached})"
    options = ", ".join(f"{key}={_shown(value)}" for key, value in search["options"].items())
    return f"trial {search['best']} is the best of the search: {options} ({reached})"


def _shown(value: Any) -> str:
    """Write a value with all its digits: it is to be copied."""
    return str(value)
