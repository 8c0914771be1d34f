"""What the notes of a comparison say of its searches."""

from types import SimpleNamespace
from typing import Any

from recbole_invariant.comparison.search_notes import search_notes


def test_the_options_found_are_told_with_all_their_digits() -> None:
    search: dict[str, Any] = {
        "trials": 2,
        "searcher": "random",
        "scheduler": "asha",
        "seed": 7,
        "objective": "valid:ndcg@10",
        "best": 1,
        "options": {"learning_rate": 0.0120367, "n_layers": 2},
        "value": 0.15,
        "default": 0.1,
        "stopped": 0,
        "failed": 0,
        "seconds": 2.0,
    }
    runs: Any = {"BPR": [SimpleNamespace(seed=7, search=search)]}
    said = list(search_notes(runs))
    assert "the best of the search: learning_rate=0.0120367, n_layers=2 (" in said[-1]
