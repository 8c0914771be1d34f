"""The protocols in plain words, with the figures that a run's split notes hold."""

from collections.abc import Callable, Mapping
from typing import Any

from recbole_invariant.report.wording import listed

Notes = Mapping[str, Any]

WHAT_IID_IS = (
    "The IID test (iid) is drawn at random from what the protocol leaves, user by user: it asks "
    "the same question as training."
)


def explain(protocol: str | None, notes: Notes) -> list[str]:
    """Say how train, validation and tests were cut.

    Args:
        protocol: name of the protocol, or None.
        notes: `run.json`'s `split`; what it lacks is left out.

    Returns:
        Sentences.
    """
    describe = _WORDS.get(protocol or "", _unknown)
    said = describe(notes)
    if protocol:
        said.append(WHAT_IID_IS)
    counted = (notes.get("dropped") or {}).items()
    # rows that a protocol leaves out, and repeats of training, are no unseen ones
    dropped = {name: n for name, n in counted if n and name not in ("protocol", "repeats")}
    if dropped:
        counts = listed([f"{n} of {name}" for name, n in dropped.items()])
        said.append(
            f"Test and validation rows whose user or item has no training row were left out, since "
            f"no model here could answer for them: {counts}."
        )
    if isinstance(notes.get("claims"), str):
        said.append(f"{notes['claims']}.")
    return said


def _popularity(notes: Notes) -> list[str]:
    said = [
        "Popularity shift: the shifted tests ask about equally many rows of every item, popular or "
        "not, while training keeps the popularity of the data. A model that recommends what is "
        "popular does well on IID and badly here."
    ]
    gammas = notes.get("gamma")
    if isinstance(gammas, list) and len(gammas) > 1:
        strengths = listed(
            [f"{number} has gamma {gamma:g}" for number, gamma in enumerate(gammas, 1)]
        )
        said.append(f"Strengths: {strengths}; the smallest gamma is the strongest shift.")
    if notes.get("n_max") is not None:
        said.append(f"At most about {notes['n_max']:g} rows of an item go into the shifted tests.")
    return said


def _temporal(notes: Notes) -> list[str]:
    when = notes.get("boundary_in_words") or notes.get("boundary")
    said = [
        "Temporal shift: one boundary in time for all users"
        + (f", {when}" if when is not None else "")
        + ". Everything at or after it is the shifted test; training, validation and the IID test "
        "come from before, so no model saw the future."
    ]
    if notes.get("gap"):
        said.append(
            f"The last {notes['gap']:g} units of time before it were dropped "
            f"({notes.get('gap_rows', 0)} rows)."
        )
    return said


def _environment(notes: Notes) -> list[str]:
    return [
        "Environment shift (PaInvRL, section 4.2.2): interactions were divided into two "
        "environments that a model finds hard to reconcile; the larger trains, the smaller is the "
        "shifted test.",
        "Whether that is a shift at all is asked by a random split of the same sizes beside it.",
    ]


def _cluster(notes: Notes) -> list[str]:
    by = {"items": "items by their features", "users": "users by their histories"}
    said = [
        f"Cluster shift: k-means clusters {by.get(str(notes.get('by')), 'items or users')}; the "
        "shifted test is about clusters held out of training."
    ]
    if notes.get("held_out") is not None and notes.get("clusters"):
        said.append(f"{len(notes['held_out'])} of {len(notes['clusters'])} clusters are held out.")
    return said


def _exposure(notes: Notes) -> list[str]:
    said = [
        "Exposure shift: training data is what users chose to interact with; the shifted test is "
        "about items shown to them at random, so what is missing there is not missing by choice."
    ]
    if isinstance(notes.get("random_precision"), int | float):
        said.append(
            f"A random order of the items would have a precision of "
            f"{notes['random_precision']:.4f} on the shifted test: figures near it mean little."
        )
    return said


def _cold(notes: Notes) -> list[str]:
    kind = str(notes.get("kind", "items"))
    count, total = notes.get(f"cold_{kind}"), notes.get(f"all_{kind}")
    share = f" ({count} of {total})" if count is not None and total is not None else ""
    return [
        f"Cold start: some {kind}{share} have no training row at all, and the shifted test is "
        "about them. Only models that score from features or histories can answer."
    ]


def _column(notes: Notes) -> list[str]:
    field = notes.get("field")
    said = [
        "Domain shift: "
        + (f"the column '{field}'" if field else "a column of the interactions")
        + " names the domain; domains in the shifted tests have no training row."
    ]
    held_out = notes.get("held_out")
    if isinstance(held_out, Mapping):
        said += [
            f"{test}: {listed([str(v) for v in values][:12])}"
            + (" and others." if len(values) > 12 else ".")
            for test, values in held_out.items()
            if isinstance(values, list)
        ]
    return said


def _random(notes: Notes) -> list[str]:
    return ["No shift: the test called ood_random is drawn at random, as a control."]


def _unknown(notes: Notes) -> list[str]:
    if isinstance(notes.get("files"), Mapping):
        files = listed([f"{name} is {part}" for name, part in notes["files"].items()])
        return [f"The data comes cut into files, which are the parts as they stand: {files}."]
    return ["The split is RecBole's own; no claim about a shift can rest on it."]


_WORDS: dict[str, Callable[[Notes], list[str]]] = {
    "popularity": _popularity,
    "temporal": _temporal,
    "environment": _environment,
    "cluster": _cluster,
    "exposure": _exposure,
    "cold": _cold,
    "column": _column,
    "random": _random,
}
