"""Among which items the tests rank: in words, and what a random order of them would reach."""

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.run_record import read_table

FULL = "full"
"""RecBole's mode of `eval_args` that ranks the whole catalogue."""

NEAR_CHANCE = 3.0
"""A test whose best model is below so many times the random ranking's recall is called near it."""


def ranking_mode(run: FoundRun) -> str | None:
    """Return the mode of `eval_args` under test, e.g. `full` or `uni100`; None where not known."""
    value = run.record.get("options", {}).get("eval_args", {}).get("value")
    mode = value.get("mode") if isinstance(value, Mapping) else None
    if isinstance(mode, Mapping):
        mode = mode.get("test")
    return None if mode is None else str(mode)


def ranks_seen(run: FoundRun) -> bool:
    """Say whether items of the user's history were ranked as well (option `rank_seen`)."""
    return bool(run.record.get("options", {}).get("rank_seen", {}).get("value"))


def ranking_words(mode: str | None, seen_too: bool = False) -> str:
    """Say among which items a test of this mode ranks; `seen_too` is the option `rank_seen`."""
    if mode == FULL and seen_too:
        return "full ranking of all items, those that the user had before among them (rank_seen)"
    if mode == FULL:
        return "full ranking of all items but those of the user's training and validation rows"
    if mode == "labeled":
        return "scores are held against the labels of the test rows, no items are ranked"
    if sampled := re.fullmatch(r"(uni|pop)(\d+)", mode or ""):
        by = "uniformly" if sampled[1] == "uni" else "by popularity"
        return (
            f"each positive is ranked among {sampled[2]} items drawn {by}, not among all: the "
            "values are higher than those of full ranking, and not comparable with them"
        )
    return "run.json does not say among which items the tests rank"


def ranking_notes(by_label: ByLabel) -> list[str]:
    """Say what the tests rank; with the models' names where they differ."""
    who: dict[str, list[str]] = {}
    for label, runs in by_label.items():
        for words in dict.fromkeys(
            ranking_words(ranking_mode(run), ranks_seen(run)) for run in runs
        ):
            who.setdefault(words, []).append(label)
    if len(who) == 1:
        return list(who)
    return [f"{', '.join(labels)}: {words}" for words, labels in who.items()]


def expected_recall(run: FoundRun, k: int) -> float | None:
    """Compute the expected recall@k of a random full ranking: k by the number of candidates.

    Candidates are all items but those of the user's training and validation rows, whose mean
    number is taken; with `rank_seen` all items. None where the folder has no `ids.parquet`.
    """
    path = run.folder / records.IDS_FILE
    if not path.is_file():
        return None
    n_items = int((read_table(path, ("kind",))["kind"] == "item").sum())
    if ranks_seen(run):
        return min(1.0, k / max(n_items, 1))
    rows, users = run.record["n_interactions"], run.record["n_users"]
    seen = sum(rows.get(part, 0) for part in ("train", "valid")) / max(users.get("train", 1), 1)
    return min(1.0, k / max(n_items - seen, 1))


def chance_notes(by_label: ByLabel, cells: pd.DataFrame) -> Iterator[str]:
    """Name the test sets in which the best model of full rankings is nearer chance than signal."""
    full = {
        label: runs
        for label, runs in by_label.items()
        if all(ranking_mode(run) == FULL for run in runs)
    }
    recall = cells[cells["metric"].str.fullmatch(r"recall@\d+") & cells["model"].isin(full)]
    if recall.empty:
        return
    k = min(int(re.sub(r"\D", "", name)) for name in recall["metric"].unique())
    chance = expected_recall(next(iter(full.values()))[0], k)
    if chance is None:
        return
    part = recall[recall["metric"] == f"recall@{k}"]
    for test, rows in part.groupby("test", sort=False):
        best = rows.sort_values("mean").iloc[-1]
        if best["mean"] < NEAR_CHANCE * chance:
            yield (
                f"{test} is nearer chance than signal: the best recall@{k} is {best['mean']:.4f} "
                f"({best['model']}), a random ranking's is {chance:.4f}"
            )
