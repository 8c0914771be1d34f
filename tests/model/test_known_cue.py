from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.model import known_cue
from recbole_invariant.model.known_cue import KnownCue


def test_the_logit_is_the_users_strength_where_the_attribute_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strength, attribute = np.array([0, 2.0, -1.0], dtype="f4"), np.array([0, 1, 2, 1, 0])
    monkeypatch.setattr(known_cue, "true_cue_strength", lambda _: strength)
    monkeypatch.setattr(known_cue, "item_attribute", lambda *_: attribute)
    cues, users = torch.tensor([1, 2, 3, 4, 0]), torch.tensor([1, 2, 2, 1, 1])
    examples: Any = SimpleNamespace(cues=cues, users=users)
    added = KnownCue(None, "attribute")(examples)
    expected = [
        [
            float(strength[user]) if attribute[cue] > 0 and attribute[cue] == of_item else 0.0
            for of_item in attribute
        ]
        for cue, user in zip(cues.tolist(), users.tolist(), strict=True)
    ]
    assert added.tolist() == expected
