"""A trial of one epoch does not stand for a whole training of the same model and seed."""

import json
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs

COMMAND_LINE, FILE = "command line", "properties/overall.yaml"


def write(folder: Path, seed: int = 1, label: str | None = None, **options: Any) -> None:
    """Write a run; an option given as `(value, layer)` is of that layer, others are the user's."""
    folder.mkdir(parents=True)
    stored = {
        key: {"value": value[0], "layer": value[1]}
        if isinstance(value, tuple)
        else {"value": value, "layer": COMMAND_LINE}
        for key, value in options.items()
    }
    record = {"model": "BPR", "dataset": "toy", "protocol": None, "seed": seed, "options": stored}
    record |= {"metrics": {"iid": {"ndcg@10": 0.1}}, "selection": {}}
    (folder / "run.json").write_text(json.dumps(record))
    if label is not None:
        (folder / "compare.json").write_text(json.dumps({"label": label, "position": 0}))


def labels(folder: Path) -> dict[str, str]:
    return {run.folder.name: run.label for run in find_runs(folder)}


def test_runs_of_a_seed_are_told_apart_by_what_the_user_set(tmp_path: Path) -> None:
    write(tmp_path / "whole", epochs=(300, FILE))
    write(tmp_path / "trial", epochs=1, gpu_id="3", topk=[5])
    write(tmp_path / "other-seed", seed=2, learning_rate=0.1)
    assert labels(tmp_path) == {
        "whole": "BPR",
        "trial": "BPR[epochs=1]",
        "other-seed": "BPR[learning_rate=0.1]",
    }


def test_what_all_of_them_have_is_not_said(tmp_path: Path) -> None:
    write(tmp_path / "a", epochs=1, learning_rate=0.1)
    write(tmp_path / "b", epochs=1, learning_rate=0.2)
    assert labels(tmp_path) == {"a": "BPR[learning_rate=0.1]", "b": "BPR[learning_rate=0.2]"}


def test_structure_comes_with_it(tmp_path: Path) -> None:
    write(tmp_path / "a", variant="paper")
    write(tmp_path / "b", variant="paper", epochs=1)
    assert labels(tmp_path) == {"a": "BPR[variant=paper]", "b": "BPR[variant=paper,epochs=1]"}


def test_a_trial_beside_a_comparison_does_not_take_its_line(tmp_path: Path) -> None:
    write(tmp_path / "compared", label="BPR")
    write(tmp_path / "trial", epochs=1)
    assert labels(tmp_path) == {"compared": "BPR", "trial": "BPR[epochs=1]"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"epochs": 1}, {"epochs": 1}),  # the same once more
        ({"epochs": 1}, {"epochs": 2, "seed": 2}),  # seeds of one line; the notes name what differs
        ({"topk": [5]}, {"topk": [10], "show_progress": True}),  # the same model
        ({"label": "BPR"}, {"label": "BPR", "epochs": 1}),  # as compare named them
    ],
)
def test_others_keep_their_line(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    write(tmp_path / "a", **first)
    write(tmp_path / "b", **second)
    assert set(labels(tmp_path).values()) == {"BPR"}
