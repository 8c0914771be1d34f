"""What a reader has to know of the tests' rows: how many, how strong the shift, what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.report.tables import strength_notes

LARGE_SHARE = 0.2
"""From this share on, the rows of a test that were left out are named."""

MOST_VALUES = 12
"""So many held-out values of a test are listed, and the rest is counted."""


def split_notes(by_label: ByLabel) -> Iterator[str]:
    """Write the notes about the tests' rows.

    Args:
        by_label: the runs of every label, controls left out.
    """
    runs = [run for found in by_label.values() for run in found]
    tests = list(dict.fromkeys(name for run in runs for name in run.tests))
    yield from _items_a_user(runs, tests)
    yield from _left_out(runs, tests)
    yield from dict.fromkeys(note for run in runs for note in strength_notes(run.record))
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


def lost_share(runs: Sequence[FoundRun], test: str) -> tuple[float, list[int]]:
    """Compute how much of a test was dropped, since no model could answer for it.

    Returns:
        The share of the rows, over all runs, and the numbers of users that remain, run by run.
    """
    dropped, kept, users = 0, 0, []
    for run in runs:
        rows, remaining = _count(run, "n_interactions", test), _count(run, "n_users", test)
        if rows is not None:
            dropped += int((_notes(run).get("dropped") or {}).get(test, 0))
            kept += rows
            users += [] if remaining is None else [remaining]
    return dropped / max(dropped + kept, 1), users


def _left_out(runs: Sequence[FoundRun], tests: Sequence[str]) -> Iterator[str]:
    """Name the tests of which a large share was dropped."""
    for test in tests:
        share, users = lost_share(runs, test)
        if share >= LARGE_SHARE:
            remain = f"; {fmean(users):.0f} users remain" if users else ""
            yield f"{share:.0%} of {test} left out: {_why(test)} without training row{remain}"


def _why(test: str) -> str:
    """Say whose lack of training rows leaves a row out; see `data.splits.unanswerable`."""
    return "user and item" if test.startswith("ood_cold") else "user or item"


def _notes(run: FoundRun) -> Mapping[str, Any]:
    return run.record.get("split") or {}


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
