from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.errors import InputError
from recbole_invariant.model import attribute_cue
from recbole_invariant.model.attribute_cue import (
    EstimatedCue,
    ItemAttribute,
    KnownCue,
    build_adjustment,
    build_attribute,
)

VALUES = np.array([0, 1, 2, 1, 0])
OPTIONS: dict[str, Any] = {
    "environments": "subsequence",
    "cue_adjustment": "none",
    "attribute": "attribute",
    "backbone": "GRU4Rec",
    "cue_smoothing": 1.0,
}


@pytest.fixture
def attribute(monkeypatch: pytest.MonkeyPatch) -> ItemAttribute:
    monkeypatch.setattr(attribute_cue, "item_attribute", lambda *_: VALUES)
    return ItemAttribute(None, "attribute")


def test_the_known_logit_is_the_users_strength_where_the_attribute_repeats(
    attribute: ItemAttribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    strength = np.array([0, 2.0, -1.0], dtype="f4")
    monkeypatch.setattr(attribute_cue, "true_cue_strength", lambda _: strength)
    cues, users = torch.tensor([1, 2, 3, 4, 0]), torch.tensor([1, 2, 2, 1, 1])
    examples: Any = SimpleNamespace(cues=cues, users=users)
    added = KnownCue(None, attribute)(examples)
    expected = [
        [
            float(strength[user]) if VALUES[cue] > 0 and VALUES[cue] == of_item else 0.0
            for of_item in VALUES
        ]
        for cue, user in zip(cues.tolist(), users.tolist(), strict=True)
    ]
    assert added.tolist() == expected


def test_the_estimated_logit_is_counted_from_last_item_to_target(attribute: ItemAttribute) -> None:
    # transitions of attributes: 1 -> 1 twice, 1 -> 2 once, 2 -> 2 once; the last row is unknown
    columns = {
        "item_id_list": torch.tensor([[2, 1, 0], [3, 0, 0], [1, 0, 0], [2, 0, 0], [4, 0, 0]]),
        "item_length": torch.tensor([2, 1, 1, 1, 1]),
        "item_id": torch.tensor([3, 1, 2, 2, 1]),
    }
    names = {"LIST_SUFFIX": "_list", "ITEM_LIST_LENGTH_FIELD": "item_length"}
    dataset = SimpleNamespace(inter_feat=columns, iid_field="item_id", config=names)
    cue = EstimatedCue(dataset, attribute, smoothing=2.0)
    examples: Any = SimpleNamespace(cues=torch.tensor([3, 2, 4]))
    same, other = np.log((2 + 1) / (3 + 2) / 0.5), np.log((1 + 1) / (3 + 2) / 0.5)
    low, high = np.log((0 + 1) / (1 + 2) / 0.5), np.log((1 + 1) / (1 + 2) / 0.5)
    expected = [[0, same, other, same, 0], [0, low, high, low, 0], [0] * 5]
    np.testing.assert_allclose(cue(examples), expected, rtol=1e-5, atol=1e-7)


def test_only_what_needs_the_attribute_asks_for_it(attribute: ItemAttribute) -> None:
    assert build_attribute({**OPTIONS, "attribute": None}, None) is None
    assert build_adjustment(OPTIONS, None, attribute) is None
    for needs in ({"environments": "attribute_shift"}, {"cue_adjustment": "estimated"}):
        made = build_attribute({**OPTIONS, **needs}, None)
        assert made is not None
        assert made.n_values == 3
        with pytest.raises(InputError, match="needs the option attribute"):
            build_attribute({**OPTIONS, **needs, "attribute": None}, None)
        with pytest.raises(InputError, match="BERT4Rec also learns"):
            build_attribute({**OPTIONS, **needs, "backbone": "BERT4Rec"}, None)


def test_an_attribute_of_too_many_values_for_a_table_of_pairs_is_one_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attribute_cue, "item_attribute", lambda *_: np.arange(4001))
    for needs in ({"environments": "attribute_shift"}, {"cue_adjustment": "estimated"}):
        with pytest.raises(InputError, match="attribute: attribute has 4,000 values") as caught:
            build_attribute({**OPTIONS, **needs}, None)
        assert len(caught.value.problems) == 1
    assert build_attribute({**OPTIONS, "cue_adjustment": "known"}, None) is not None
    monkeypatch.setattr(attribute_cue, "item_attribute", lambda *_: np.arange(4000))
    assert build_attribute({**OPTIONS, "cue_adjustment": "estimated"}, None) is not None
