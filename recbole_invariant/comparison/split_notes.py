"""What a reader has to know of the tests' rows: how many, how strong the shift, what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from recbole_invariant.comparison.collect import FoundRun

LARGE_SHARE = 0.2
"""From this share on, the rows of a test that were left out are named."""

MOST_VALUES = 12
"""So many held-out values of a test are listed, and the rest is counted."""

ByLabel = Mapping[str, Sequence[FoundRun]]


def split_notes(by_label: ByLabel) -> Iterator[str]:
    """Write the notes about the tests' rows.

    Args:
        by_label: the runs of every label, controls left out.
    """
    runs = [run for found in by_label.values() for run in found]
    tests = list(dict.fromkeys(name for run in runs for name in run.tests))
    yield from _items_a_user(runs, tests)
    yield from _left_out(runs, tests)
    yield from _strengths(runs)
    yield from _held_out(runs, tests)


def _count(run: FoundRun, kind: str, test: str) -> int | None:
    """Return `n_interactions` or `n_users` of a test, None where the run does not have it."""
    count = (run.record.get(kind) or {}).get(test)
    return None if count is None else int(count)


def _items_a_user(runs: Sequence[FoundRun], tests: Sequence[str]) -> Iterator[str]:
    """Say how long the tests are, which moves every metric, and what can therefore be compared."""
    said = []
    for test in sorted(tests, key=lambda name: name != "iid"):
        counts = [(_count(r, "n_interactions", test), _count(r, "n_users", test)) for r in runs]
        means = [rows / users for rows, users in counts if rows is not None and users]
        if means:
            said.append(f"{test} {fmean(means):.1f}")
    sizes = f"test items a user (mean): {', '.join(said)}; " if said else ""
    if len(tests) > 1:
        yield (
            f"{sizes}the tests differ in size and kind: compare models within a test, never a "
            "model's iid value with its ood values"
        )
    elif said:
        yield sizes.removesuffix("; ")


def _left_out(runs: Sequence[FoundRun], tests: Sequence[str]) -> Iterator[str]:
    """Name the tests of which a large share was dropped, since no model could answer for it."""
    for test in tests:
        dropped, kept, users = [], [], []
        for run in runs:
            rows = _count(run, "n_interactions", test)
            if rows is not None:
                dropped.append(int((_notes(run).get("dropped") or {}).get(test, 0)))
                kept.append(rows)
                users.append(_count(run, "n_users", test))
        share = sum(dropped) / max(sum(dropped) + sum(kept), 1)
        if share >= LARGE_SHARE:
            known = [count for count in users if count is not None]
            remain = f"; {fmean(known):.0f} users remain" if known else ""
            yield f"{share:.0%} of {test} left out: {_why(test)} without training row{remain}"


def _why(test: str) -> str:
    """Say whose lack of training rows leaves a row out; see `data.splits.unanswerable`."""
    return "user and item" if test.startswith("ood_cold") else "user or item"


def _notes(run: FoundRun) -> Mapping[str, Any]:
    return run.record.get("split") or {}


def _strengths(runs: Sequence[FoundRun]) -> Iterator[str]:
    """Name the strengths of a popularity shift, where there are several."""
    said = dict.fromkeys(tuple(_notes(run).get("gamma") or ()) for run in runs)
    for gammas in said:
        if len(gammas) > 1:
            first, *others = gammas
            named = [f"ood_popularity_1: gamma {first:g} (strongest shift)"]
            named += [f"_{number}: gamma {gamma:g}" for number, gamma in enumerate(others, 2)]
            yield ", ".join(named)


def _held_out(runs: Sequence[FoundRun], tests: Sequence[str]) -> Iterator[str]:
    """List the values that tests by a column hold out; seed by seed where they differ."""
    for test in tests:
        seeds: dict[str, set[int]] = {}
        for run in runs:
            held_out = _notes(run).get("held_out")
            values = held_out.get(test) if isinstance(held_out, Mapping) else None
            if isinstance(values, Sequence) and not isinstance(values, str):
                seeds.setdefault(_listed(values), set()).add(run.seed)
        field = next((_notes(run)["field"] for run in runs if _notes(run).get("field")), None)
        of = f" of {field}" if field else ""
        if len(seeds) == 1:
            yield f"{test}: the values{of} held out of training: {next(iter(seeds))}"
        elif seeds:
            each = "; ".join(f"seeds {sorted(who)}: {words}" for words, who in seeds.items())
            yield f"{test}: the values{of} held out of training: {each}"


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(map(str, values[:MOST_VALUES]))
    more = len(values) - MOST_VALUES
    return f"{shown} and {more} more" if more > 0 else shown
