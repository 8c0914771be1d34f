"""A record of a run with something wrong inside is refused, with the place."""

import json
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.run_record import REOPENED, read_record

SLICE = {"n_users": 3, "metrics": {"ndcg@10": 0.5}}
WORST = {"metric": "ndcg@10", "group": "items", "slice": "tail"}
RECORD = {
    "model": "BPR",
    "model_class": "recbole.model.general_recommender.bpr.BPR",
    "dataset": "toy",
    "protocol": "popularity",
    "seed": 3,
    "split": {"gamma": [1.0], "dropped": {"iid": 2}},
    "n_interactions": {"train": 10},
    "metrics": {"iid": {"ndcg@10": 0.5}},
    "selection": {},
    "stages": [{"name": "train", "epochs": 2, "seconds": 0.5}],
    "options": {key: {"value": 1, "layer": "given"} for key in ("metrics", "topk", "valid_metric")},
    "slices": {"iid": {"items": {"tail": SLICE}, "worst": WORST}},
}


def read(folder: Path, **changed: Any) -> dict[str, Any]:
    (folder / "run.json").write_text(json.dumps({**RECORD, **changed}))
    return read_record(folder)


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    assert read(tmp_path) == RECORD


@pytest.mark.parametrize("key", REOPENED)
def test_what_is_needed_and_lacks_is_named(tmp_path: Path, key: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != key}
    (tmp_path / "run.json").write_text(json.dumps(record))

    with pytest.raises(InputError, match=rf"run\.json: lacks {key}; not a run's"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"split": {"dropped": [None]}}, r"split\.dropped"),
        ({"split": {"trained_on": None}}, r"split\.trained_on"),
        ({"split": {"gamma": ["1"]}}, r"split\.gamma"),
        ({"slices": {"iid": None}}, r"slices\.iid"),
        ({"slices": {"iid": {"items": {"tail": {"metrics": {}}}}}}, r"slices\.iid\.items\.tail"),
        ({"slices": {"iid": {"worst": {"metric": "ndcg@10"}}}}, r"slices\.iid\.worst"),
        ({"stages": [{"name": "train", "seconds": 1.0}]}, "epochs"),
    ],
)
def test_the_place_of_what_is_wrong_is_named(
    tmp_path: Path, changed: dict[str, Any], place: str
) -> None:
    with pytest.raises(InputError, match=rf"run\.json: damaged: .*{place}"):
        read(tmp_path, **changed)
