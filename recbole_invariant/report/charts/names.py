"""Names of models, short enough for a drawing and still no two alike."""

from collections.abc import Iterator, Sequence
from itertools import combinations

ELLIPSIS = "…"
OPEN, CLOSED = "[{(", "]})"
MOST_TRIED = 10
"""Options of a line of which subsets are tried; there are 1,023 of ten."""


def fitting_names(labels: Sequence[str], longest: int) -> dict[str, str]:
    """Shorten the labels that are too long.

    Options that tell a line from no other are left out first: of `A[x=1,y=2]` and `A[x=1,y=3]`
    stay `A[…,y=2]` and `A[…,y=3]`. What is still too long is cut in the middle where no other name
    has the same ends, and gets a number where one has.

    Args:
        labels: of the lines of one drawing.
        longest: characters that there is room for.

    Returns:
        Label -> its name. No two are the same; none is longer but for numbers without room.
    """
    labels = list(dict.fromkeys(labels))
    found = {label: label for label in labels if len(label) <= longest}
    brief = {label: label if label in found else _brief(label, labels, longest) for label in labels}
    for label in labels:
        if label not in found:
            others = {name for one in labels if one != label for name in (one, brief[one])}
            known = others | set(found.values())
            names = (name for name in _cuts(brief[label], longest, others) if name not in known)
            found[label] = next(names, None) or _numbered(brief[label], longest, known)
    return {label: found[label] for label in labels}


def _brief(label: str, labels: Sequence[str], longest: int) -> str:
    """Leave the most options with which a line can be told from its model's others and fits.

    Where no such options fit, the fewest are left; where there are none, those that not all share.
    """
    model, options = _parts(label)
    others = [set(parts) for name, parts in map(_parts, labels) if name == model]
    others.remove(set(options))
    own = [option for option in options if any(option not in parts for parts in others)]
    if not others or not own:
        return label
    found = _written(model, own, options)
    if len(found) <= longest or len(own) > MOST_TRIED:
        return found
    for size in range(len(own), 0, -1):
        telling = [some for some in combinations(own, size) if not _in_any(some, others)]
        if telling:
            found = min((_written(model, some, options) for some in telling), key=len)
        if len(found) <= longest:
            break
    return found


def _in_any(options: Sequence[str], others: Sequence[set[str]]) -> bool:
    return any(other.issuperset(options) for other in others)


def _written(model: str, chosen: Sequence[str], options: Sequence[str]) -> str:
    left_out = [ELLIPSIS] if len(chosen) < len(options) else []
    return f"{model}[{','.join([*left_out, *chosen])}]"


def _cuts(name: str, longest: int, others: set[str]) -> Iterator[str]:
    """List what fits: the name, and its cuts whose ends no other has, near the middle first."""
    if len(name) <= longest:
        yield name
    room = max(longest - len(ELLIPSIS), 0)
    for head in sorted(range(room + 1), key=lambda head: abs(2 * head - room)):
        start, end = name[:head], name[len(name) - (room - head) :]
        if not any(other.startswith(start) and other.endswith(end) for other in others):
            yield start + ELLIPSIS + end


def _numbered(name: str, longest: int, known: set[str]) -> str:
    """Cut a name and put the first number behind it that makes it another than those known."""
    number = 1
    while True:
        end = f"{ELLIPSIS}{number}"
        cut = name[: max(longest - len(end), 0)] + end
        if cut not in known:
            return cut
        number += 1


def _parts(label: str) -> tuple[str, list[str]]:
    """Take a label apart: the model, and its options where it has any."""
    model, bracket, rest = label.partition("[")
    if not bracket or not rest.endswith("]"):
        return label, []
    options, depth = [""], 0
    for letter in rest[:-1]:
        depth += (letter in OPEN) - (letter in CLOSED)
        if letter == "," and depth == 0:
            options.append("")
        else:
            options[-1] += letter
    return model, options
